package images

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"aorta/heart/docker"
	"aorta/internal/backoff"
	"aorta/pacemaker/cluster"
)

// Carrier moves images between the engine and the cluster's registry.
type Carrier struct {
	Engine *docker.Engine
	Proxy  *Proxy
	Node   string // for messages
	Log    *slog.Logger
}

// Wanted is an image of an app.
type Wanted struct {
	App   cluster.ID
	Build cluster.ID
	Image cluster.Image
}

// tries is how often a transfer is begun. What is there already does not travel again.
const tries = 4

// Pull fetches an image by its digest in the registry, under the name that it has on
// the builder's engine. Layers that are here are not fetched. The error of one that
// the registry does not have is not_found.
func (c *Carrier) Pull(ctx context.Context, want Wanted, tell func(text string)) error {
	ref, say := c.repository(want.App)+"@"+want.Image.Pushed, &teller{moves: tell, stands: tell}
	err := c.try(ctx, want, false, say, func(ctx context.Context, t *ticket) error {
		sizes, err := c.sizes(ctx, want)
		if err != nil {
			return err
		}
		return c.Engine.Fetch(ctx, ref, t.Credentials, newProgress("pulling", sizes, say.tell).see)
	})
	if err != nil {
		return fmt.Errorf("pull image %s of the cluster's registry to %s: %w", want.Image.Ref, c.Node, err)
	}
	got, err := c.Engine.Image(ctx, ref)
	if errors.Is(err, docker.ErrNoImage) { // another instance's pull of the same has named it since
		got, err = c.Engine.Image(ctx, cmp.Or(want.Image.ID, want.Image.Ref))
	}
	if err != nil {
		return err
	}
	if want.Image.ID != "" && got.ID != want.Image.ID {
		return cluster.Conflict("image %s came from the cluster's registry as %s, and the release was made with %s: deploy the app again", want.Image.Ref, got.ID, want.Image.ID)
	}
	return c.name(ctx, want, got.ID, ref)
}

// Settle gives an image that is here its name, if it was pulled by who was killed
// before that: without it, nobody would know whose it is.
func (c *Carrier) Settle(ctx context.Context, want Wanted) error {
	if want.Image.Pushed == "" {
		return nil
	}
	ref := c.repository(want.App) + "@" + want.Image.Pushed
	got, err := c.Engine.Image(ctx, ref)
	if errors.Is(err, docker.ErrNoImage) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.name(ctx, want, got.ID, ref)
}

// name gives a pulled image the name that says what it is for, in place of its digest
// in the registry.
func (c *Carrier) name(ctx context.Context, want Wanted, id, ref string) error {
	var err error
	if docker.BuiltHere(want.Image) {
		err = c.Engine.Tag(ctx, id, want.Image.Ref)
	} else {
		err = c.Engine.Mark(ctx, id, want.Build)
	}
	if err == nil {
		err = c.Engine.Untag(ctx, ref)
	}
	if err != nil {
		return fmt.Errorf("name image %s: %w", want.Image.Ref, err)
	}
	return nil
}

// Push sends an image of this engine to the registry and gives its digest there. It
// tells how far that is, and logs why nothing moves.
func (c *Carrier) Push(ctx context.Context, want Wanted, tell, log func(text string)) (digest string, err error) {
	name := c.repository(want.App) + ":" + string(want.Build)
	if err := c.Engine.Tag(ctx, want.Image.ID, name); err != nil {
		return "", err
	}
	defer func() {
		// Also when ctx has ended: the name would keep the image for ever.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := c.Engine.Untag(ctx, name); err != nil {
			c.Log.Warn("a name of a pushed image stays on the engine", "name", name, "err", err)
		}
	}()
	say := &teller{moves: tell, stands: log}
	err = c.try(ctx, want, true, say, func(ctx context.Context, t *ticket) (err error) {
		digest, err = c.Engine.Push(ctx, name, t.Credentials, newProgress("pushing", nil, say.tell).see)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("push image %s from %s to the cluster's registry: %w", want.Image.Ref, c.Node, err)
	}
	return digest, nil
}

// try makes a transfer, again while its failure may pass.
func (c *Carrier) try(ctx context.Context, want Wanted, push bool, say *teller, transfer func(context.Context, *ticket) error) error {
	pauses := backoff.New(time.Second, 10*time.Second)
	for n := 1; ; n++ {
		err := c.once(ctx, want, push, say, transfer)
		if err == nil || ctx.Err() != nil || n == tries || final(err, push) || errors.Is(err, docker.ErrNoSpace) || errors.Is(err, docker.ErrNoImage) {
			return err
		}
		c.Log.Warn("an image's transfer failed; trying again", "image", want.Image.Ref, "push", push, "err", err)
		say.waits(err)
		if !pauses.Pause(ctx) {
			return err
		}
	}
}

func (c *Carrier) once(ctx context.Context, want Wanted, push bool, say *teller, transfer func(context.Context, *ticket) error) error {
	bounded, stop := context.WithCancel(ctx)
	defer stop()
	t := c.Proxy.open(want.App, push, say, stop)
	defer c.Proxy.close(t)
	err := transfer(bounded, t)
	if why := t.why(); err != nil && why != nil && ctx.Err() == nil {
		return why // the engine's words hide it
	}
	return err
}

func (c *Carrier) repository(app cluster.ID) string { return c.Proxy.Address() + "/" + string(app) }

// kinds are those of manifests that engines push and pull.
var kinds = []string{
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json",
}

// maxManifest bounds a manifest, in bytes, as the registry does.
const maxManifest = 4 << 20

// shortID is how many digits of a digest the engine calls a layer by.
const shortID = 12

// sizes asks the registry for the image's manifest, and gives its layers' sizes by
// the names that the engine has for them. So it is known before the engine is asked
// whether the image is there.
func (c *Carrier) sizes(ctx context.Context, want Wanted) (map[string]int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cluster.RegistryPath+string(want.App)+"/manifests/"+want.Image.Pushed, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the manifest of %s: %w", want.Image.Ref, err)
	}
	req.Header["Accept"] = kinds
	resp, err := c.Proxy.up.Registry(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp)
	}
	var m struct {
		Layers []struct {
			Digest string
			Size   int64
		}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxManifest)).Decode(&m); err != nil {
		return nil, fmt.Errorf("read the manifest of %s: %w", want.Image.Ref, err)
	}
	sizes := map[string]int64{}
	for _, l := range m.Layers {
		if hex := strings.TrimPrefix(l.Digest, "sha256:"); len(hex) > shortID {
			sizes[hex[:shortID]] = l.Size
		}
	}
	return sizes, nil
}
