package buildkit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	frontend "github.com/moby/buildkit/frontend/dockerfile/builder"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"

	"aorta/heart/docker/dockerfile"
)

// guarded shows the recipe's guard whatever a Dockerfile takes from elsewhere,
// before the engine is asked for it, gives secrets their names, and names the
// steps that are to be bounded.
type guarded struct {
	guard   dockerfile.Guard
	secrets secrets
	folders *folders
	bounds  *bounds

	mu      sync.Mutex // guards refused
	refused error      // the first one; on its way through BuildKit it becomes a text
}

// build is the frontend under guard.
func (g *guarded) build(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
	return frontend.Build(ctx, &under{Client: c, guarded: g})
}

func (g *guarded) refuse(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused == nil {
		g.refused = err
	}
	return err
}

func (g *guarded) verdict() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

// under is a gateway of which every way to what is elsewhere is guarded.
type under struct {
	gateway.Client
	*guarded
}

// Solve looks through the steps for what comes from elsewhere.
func (u *under) Solve(ctx context.Context, req gateway.SolveRequest) (*gateway.Result, error) {
	change := func(op *pb.Op) (bool, error) {
		if step := op.GetExec(); step != nil {
			u.bounds.expect(step)
		}
		renamed := u.secrets.rename(op)
		replaced, err := u.replace(ctx, op.GetSource())
		return renamed || replaced, err
	}
	var err error
	if req.Definition, err = rewrite(req.Definition, change); err != nil {
		return nil, err
	}
	inputs := map[string]*pb.Definition{}
	for name, d := range req.FrontendInputs {
		if inputs[name], err = rewrite(d, change); err != nil {
			return nil, err
		}
	}
	req.FrontendInputs = inputs
	return u.Client.Solve(ctx, req)
}

// ResolveSourceMetadata looks at what is asked about.
func (u *under) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	if u.guard != nil && IsHTTP(op.GetIdentifier()) {
		if err := u.guard.URL(ctx, op.GetIdentifier()); err != nil {
			return nil, u.refuse(err)
		}
	}
	if err := u.source(ctx, op); err != nil {
		return nil, err
	}
	return u.Client.ResolveSourceMetadata(ctx, op, opt)
}

// ResolveImageConfig looks at the image. The frontend asks for each before it uses
// it, in FROM, COPY --from and RUN --mount.
func (u *under) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	if u.guard != nil {
		if err := u.guard.Registry(ctx, ref); err != nil {
			return ref, "", nil, u.refuse(err)
		}
	}
	found, id, config, err := u.Client.ResolveImageConfig(ctx, ref, opt)
	if err != nil || u.guard == nil {
		return found, id, config, err
	}
	var image struct {
		Config struct{ Labels map[string]string }
	}
	if err := json.Unmarshal(config, &image); err != nil {
		return found, id, config, fmt.Errorf("read the image %s: %w", ref, err)
	}
	if err := u.guard.Image(ref, image.Config.Labels); err != nil {
		return found, id, config, u.refuse(err)
	}
	return found, id, config, nil
}

// replace has a file fetched here that the engine would fetch: it follows an answer
// to wherever that leads. The engine gets it as a folder.
func (u *under) replace(ctx context.Context, op *pb.SourceOp) (bool, error) {
	if u.guard == nil || !IsHTTP(op.GetIdentifier()) {
		return false, u.source(ctx, op)
	}
	name, err := u.folders.fetch(ctx, u.guard, op)
	if err != nil {
		return false, u.refuse(err)
	}
	op.Identifier = "local://" + name
	// Without the session, a build beside this one would have the same step.
	op.Attrs = map[string]string{pb.AttrLocalSessionID: u.BuildOpts().SessionID, pb.AttrSharedKeyHint: name}
	return true, nil
}

// source looks at what the engine fetches by itself.
func (u *under) source(ctx context.Context, op *pb.SourceOp) error {
	if u.guard == nil {
		return nil
	}
	if ref, ok := strings.CutPrefix(op.GetIdentifier(), "docker-image://"); ok {
		if err := u.guard.Registry(ctx, ref); err != nil {
			return u.refuse(err)
		}
	}
	url := op.GetAttrs()[pb.AttrFullRemoteURL]
	if url == "" && strings.HasPrefix(op.GetIdentifier(), "git://") {
		url = op.GetIdentifier()
	}
	if url == "" {
		return nil
	}
	if err := u.guard.URL(ctx, url); err != nil {
		return u.refuse(err)
	}
	return nil
}
