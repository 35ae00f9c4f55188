package openresty

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestNginx_CheckAsksAsAClientDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.WorkerProcesses = 1 })
	worker := r.status().Workers[0].PID

	well := r.nginx.Check(t.Context())
	logged, err := os.ReadFile(r.cfg.LogPath)
	testkit.Must(t, err)
	testkit.Must(t, syscall.Kill(worker, syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(worker, syscall.SIGCONT) })
	hung := r.nginx.Check(testkit.EndedBy(t, time.Second))

	if well != nil || len(logged) != 0 {
		t.Errorf("got %v and the log %q, want it in order without a line that counts", well, logged)
	}
	if hung == nil || !strings.Contains(hung.Error(), "does not answer requests on "+r.cfg.Listen[0]) {
		t.Errorf("got %v of a worker that hangs, want its address", hung)
	}
}
