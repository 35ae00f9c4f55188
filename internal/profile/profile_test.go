package profile

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
)

// A profile names the parts, also for what a part has started, and only the
// process's user gets one.
func TestServe_NamesTheParts(t *testing.T) {
	path := filepath.Join(testkit.ShortDir(t), "p.sock")
	testkit.Must(t, os.WriteFile(path, nil, 0o600)) // one that died left it
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, path) }()
	begun, end := make(chan struct{}), make(chan struct{})
	go func() {
		_ = Part(ctx, "outer", func(ctx context.Context) error {
			return Part(ctx, "inner", func(context.Context) error {
				go func() { close(begun); <-end }()
				return nil
			})
		})
	}()
	<-begun
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}

	var text []byte
	testkit.Eventually(t, "a profile", func() bool {
		answer, err := client.Get("http://x/debug/pprof/goroutine?debug=1")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err = io.ReadAll(answer.Body)
		return err == nil
	})
	info, err := os.Stat(path)
	testkit.Must(t, err)
	close(end)
	stop()

	if !bytes.Contains(text, []byte(`"part":"inner"`)) {
		t.Errorf("got goroutines without the part's name:\n%s", text)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("got a socket of mode %o, want 600", info.Mode().Perm())
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v at the end, want none", err)
	}
}
