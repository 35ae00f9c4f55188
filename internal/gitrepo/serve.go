package gitrepo

import (
	"context"
	"fmt"
	"io"
)

// Wire is one end of a conversation with a git client: a stateless request and
// its answer. Git's words for our own log come back in the error.
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

// AdvertiseUpload writes the refs and abilities that a fetch starts from.
// protocol is what the client asked for, as in version=2; "" for the oldest.
func (r Repo) AdvertiseUpload(ctx context.Context, out io.Writer, protocol string) error {
	ctx, cancel := context.WithTimeout(ctx, plumbingTimeout)
	defer cancel()
	return r.serve(ctx, Wire{Out: out}, service{
		config: noHooks,
		args:   []string{"upload-pack", "--strict", "--stateless-rpc", "--http-backend-info-refs", "--", r.Dir},
		env:    protocolEnv(protocol),
	})
}

// ReceivePack takes in a push: objects are checked and stored, then the
// proc-receive hook decides about each ref. It lasts as long as the hook does;
// ctx ends both.
func (r Repo) ReceivePack(ctx context.Context, w Wire, o Receive) error {
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
func (r Repo) UploadPack(ctx context.Context, w Wire, protocol string) error {
	return r.serve(ctx, w, service{
		config: noHooks,
		args:   []string{"upload-pack", "--strict", "--stateless-rpc", "--timeout=300", "--", r.Dir},
		env:    protocolEnv(protocol),
	})
}

func protocolEnv(protocol string) []string {
	if protocol == "" {
		return nil
	}
	return []string{"GIT_PROTOCOL=" + protocol}
}

type service struct {
	config []string
	args   []string
	env    []string
}

func (r Repo) serve(ctx context.Context, w Wire, s service) error {
	cmd := command(ctx, r.Dir, s.config, s.args...)
	cmd.Env = append(cmd.Env, s.env...)
	complaint := &tail{limit: maxComplaint}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w.In, w.Out, complaint
	if err := cmd.Run(); err != nil {
		return failure(ctx, s.args[0], complaint, err)
	}
	return nil
}
