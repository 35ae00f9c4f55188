package openresty

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
)

func TestNginx_IsStartedAnewWhenItsSocketsWereRemoved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.nginx.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	before := r.nginx.Pid()
	r.killed = true // it finds that its sockets are gone, which its log says

	sockets, err := filepath.Glob(filepath.Join(r.cfg.RunDir, "*.sock"))
	testkit.Must(t, err)
	for _, path := range sockets {
		testkit.Must(t, os.Remove(path))
	}
	testkit.Must(t, os.Remove(filepath.Join(r.nginx.cfg.nginxDir(), confFile)))

	testkit.Eventually(t, "another nginx with its sockets", func() bool {
		_, err := r.nginx.Status(t.Context())
		return err == nil && r.nginx.Pid() != before && r.nginx.missingSocket() == ""
	})
	if err := r.nginx.Check(t.Context()); err != nil {
		t.Errorf("got %v, want requests answered", err)
	}
}
