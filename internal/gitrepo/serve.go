package gitrepo

import (
	"context"
	"fmt"
	"io"
)

// Wire is one end of a conversation with a git client: a stateless request and
// its answer. What git prints on stderr comes back in the error, for the log.
type Wire struct {
	In  io.Reader
	Out io.Writer
}

// Receive says how a push is taken in.
type Receive struct {
	HooksDir string   // holds the only hooks that run
	MaxPack  int64    // bytes; 0 for no limit
	Env      []string // KEY=value, for the hook
}

// AdvertiseReceive writes the refs and abilities that a push starts from.
func (r Repo) AdvertiseReceive(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, plumbingTimeout)
	defer cancel()
	return r.serve(ctx, Wire{Out: out}, service{
		config: noHooks,
		args:   []string{"receive-pack", "--stateless-rpc", "--http-backend-info-refs", "--", r.Dir},
	})
}

// AdvertiseUpload writes the refs and abilities that a fetch starts from. It
// speaks the first version of the protocol only: in the second, whoever knows
// an id gets any object, also of a commit that no visible ref leads to.
func (r Repo) AdvertiseUpload(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, plumbingTimeout)
	defer cancel()
	return r.serve(ctx, Wire{Out: out}, service{
		config: noHooks,
		args:   []string{"upload-pack", "--strict", "--stateless-rpc", "--http-backend-info-refs", "--", r.Dir},
	})
}

// ReceivePack takes in a push: objects are checked and stored, then the
// proc-receive hook decides about each ref. It lasts as long as the hook does;
// ctx ends both. Unreachable objects are not pruned meanwhile.
func (r Repo) ReceivePack(ctx context.Context, w Wire, o Receive) error {
	defer pushes.begin(r.Dir)()
	return r.serve(ctx, w, service{
		config: []string{
			"core.hooksPath=" + o.HooksDir,
			fmt.Sprintf("receive.maxInputSize=%d", o.MaxPack),
		},
		args: []string{"receive-pack", "--stateless-rpc", "--", r.Dir},
		env:  o.Env,
	})
}

// UploadPack answers one request of a fetch or a clone.
func (r Repo) UploadPack(ctx context.Context, w Wire) error {
	return r.serve(ctx, w, service{
		config: noHooks,
		args:   []string{"upload-pack", "--strict", "--stateless-rpc", "--timeout=300", "--", r.Dir},
	})
}

type service struct {
	config []string
	args   []string
	env    []string
}

func (r Repo) serve(ctx context.Context, w Wire, s service) error {
	cmd := command(ctx, r.Dir, s.config, s.args...)
	cmd.Env = append(cmd.Env, s.env...)
	stderr := &tail{limit: maxStderr}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w.In, w.Out, stderr
	if err := finishWithin(ClientMemory, cmd); err != nil {
		return r.byDisk(stderr.String(), failure(ctx, s.args[0], stderr, err))
	}
	return nil
}
