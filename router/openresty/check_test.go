package openresty

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/procs"
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

// Its workers answer while the master stands still, and one that ends has no
// successor.
func TestNginx_CheckMasterFindsOneThatStandsStill(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	master := r.nginx.Pid()

	testkit.Must(t, syscall.Kill(master, syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(master, syscall.SIGCONT) })
	testkit.Eventually(t, "a master that stands still to be found out", func() bool {
		return errors.Is(r.nginx.CheckMaster(testkit.EndedBy(t, time.Second)), procs.ErrHeedless)
	})
	asked := r.nginx.Check(t.Context())
	testkit.Must(t, syscall.Kill(master, syscall.SIGCONT))
	resumed := r.nginx.CheckMaster(t.Context())

	if asked != nil || resumed != nil {
		t.Errorf("got %v of requests meanwhile, and %v of a master that goes on; want both in order", asked, resumed)
	}
}
