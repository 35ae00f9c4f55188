package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aorta/internal/pause"
)

// process is a daemon of a host while it starts.
type process struct {
	log  string
	gone <-chan struct{} // closed when it has ended
}

// start starts a daemon that outlives this process, with its output in a log.
func (r *Room) start(log string, env []string, argv ...string) (process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return process{}, err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, out
	if err := r.Start(cmd); err != nil {
		return process{}, fmt.Errorf("start %s on %s: %w", filepath.Base(argv[0]), r.Name, err)
	}
	gone := make(chan struct{})
	go func() { // ends with the daemon
		_ = cmd.Wait()
		close(gone)
	}()
	return process{log: log, gone: gone}, nil
}

// await waits until the daemon does what it is started for; ready says what is
// still missing.
func (p process) await(ctx context.Context, what string, ready func() error) error {
	for {
		missing := ready()
		if missing == nil {
			return nil
		}
		select {
		case <-p.gone:
			return fmt.Errorf("%s: it ended while it was starting:\n%s", what, tail(p.log))
		default:
		}
		if !pause.For(ctx, 10*time.Millisecond) {
			return fmt.Errorf("%s: %w; it is not ready: %w; its log:\n%s", what, context.Cause(ctx), missing, tail(p.log))
		}
	}
}

// tail is the end of a log.
func tail(path string) string {
	const most = 3000
	raw, _ := os.ReadFile(path)
	return strings.TrimSpace(string(raw[max(0, len(raw)-most):]))
}

// baseEnv is what daemons of a host inherit, and whose files they find.
func (h *Host) baseEnv() []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(h.Disk(), "home")}, h.lab.rec.Env...)
}
