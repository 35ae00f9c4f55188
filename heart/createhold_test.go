package heart_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// createHold is an engine whose first creation of a container waits for a
// release. The engine goes through with it even if its caller has gone.
type createHold struct {
	host    string
	reached chan struct{} // a creation waits
	release chan struct{} // closed by the test
	created chan struct{} // closed once the engine has created it
}

func newCreateHold(t *testing.T) *createHold {
	t.Helper()
	c := &createHold{reached: make(chan struct{}, 1), release: make(chan struct{}), created: make(chan struct{})}
	c.host = beforeEngine(t, func(w http.ResponseWriter, r *http.Request, engine http.Handler) {
		if !strings.HasSuffix(r.URL.Path, "/containers/create") {
			engine.ServeHTTP(w, r)
			return
		}
		c.reached <- struct{}{}
		<-c.release
		engine.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
		close(c.created)
	})
	return c
}

// beforeEngine has something done with each request before the engine, and gives the host
// to ask.
func beforeEngine(t *testing.T, do func(w http.ResponseWriter, r *http.Request, engine http.Handler)) (host string) {
	t.Helper()
	path := filepath.Join(testkit.ShortDir(t), "d.sock")
	engine := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(testkit.DockerHost(), "unix://"))
	}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	proxy.Transport, proxy.FlushInterval = engine, -1
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r, proxy) })}
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = server.Close(); engine.CloseIdleConnections() })
	return "unix://" + path
}

func TestHeart_AStopDuringACreationLeavesNoContainer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	hold := newCreateHold(t)
	l.cfg.DockerHost = hold.host
	n := l.start()
	id := l.want("serve", nil)
	started, stopped := make(chan error, 1), make(chan error, 1)
	go func() { _, err := n.StartInstance(t.Context(), forInstance(id)); started <- err }()
	<-hold.reached

	go func() { _, err := n.StopInstance(t.Context(), forInstance(id)); stopped <- err }()
	l.eventually("the stop to be recorded", func() bool {
		data, err := os.ReadFile(filepath.Join(l.cfg.DataDir, "instances", string(id)+".json"))
		return err == nil && strings.Contains(string(data), `"stop_asked":true`)
	})
	close(hold.release)
	<-hold.created

	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := <-started; err == nil {
		t.Error("start: got none, want the error of a stopped start")
	}
	if list, err := l.engine.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("containers left: got %v, %v; want none", list, err)
	}
}
