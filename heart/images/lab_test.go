package images

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/registry"
)

// lab is a registry, a gate before it that a test disturbs, and two nodes with an
// engine each.
type lab struct {
	t       *testing.T
	id      cluster.ID
	engine  *docker.Engine // of the builder
	other   *docker.Engine // of a heart
	builder *Carrier
	heart   *Carrier
	app     cluster.ID
	within  func(func()) // does something where the heart's engine is

	url    *url.URL // of the gate
	server *httptest.Server
	behind http.Handler
	dir    string // of the registry

	// mu guards the rest.
	mu    sync.Mutex
	gate  func(w http.ResponseWriter, r *http.Request, next http.Handler)
	asked []string // methods and paths
	bytes int64    // of answers' bodies
}

// newLab makes one; flags are of the heart's engine.
func newLab(t *testing.T, flags ...string) *lab {
	t.Helper()
	l := &lab{t: t, app: cluster.NewID()}
	l.engine, l.id = rig.Engine(t)
	own := rig.OwnEngine(t, l.id, flags...)
	l.other = rig.EngineAt(t, own.Host, l.id)
	l.dir = t.TempDir()
	r, err := registry.Open(t.Context(), registry.Config{Dir: l.dir, Secret: "secret", Log: slog.New(slog.DiscardHandler)})
	testkit.Must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	l.behind = r
	l.serve("127.0.0.1:0")
	l.url, err = url.Parse(l.server.URL)
	testkit.Must(t, err)
	l.builder = l.carrier(l.engine, func(fn func()) { fn() })
	l.within = own.Within
	l.heart = l.carrier(l.other, l.within)
	return l
}

// serve begins the pacemaker's end at an address.
func (l *lab) serve(address string) {
	l.t.Helper()
	var listener net.Listener
	testkit.Eventually(l.t, "the registry to have its address", func() (ok bool) {
		var err error
		listener, err = net.Listen("tcp", address)
		return err == nil
	})
	l.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(l.pass)}}
	l.server.Start()
	server := l.server
	l.t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
}

// die ends all connections and refuses new ones, as a pacemaker does that is killed,
// and begins anew.
func (l *lab) die() {
	_ = l.server.Listener.Close()
	l.server.CloseClientConnections()
	l.serve(l.url.Host)
}

func (l *lab) pass(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.asked = append(l.asked, r.Method+" "+r.URL.Path)
	gate := l.gate
	l.mu.Unlock()
	w = &counted{w, l}
	if gate == nil {
		l.behind.ServeHTTP(w, r)
		return
	}
	gate(w, r, l.behind)
}

// disturb has requests go through gate from now on.
func (l *lab) disturb(gate func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gate = gate
}

// seen gives what was asked for and the bytes that were answered since it was last called.
func (l *lab) seen() (asked []string, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked, bytes = l.asked, l.bytes
	l.asked, l.bytes = nil, 0
	return asked, bytes
}

type counted struct {
	http.ResponseWriter
	l *lab
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.l.mu.Lock()
	c.l.bytes += int64(n)
	c.l.mu.Unlock()
	return n, err
}

// carrier is a node's, whose proxy listens where its engine is.
func (l *lab) carrier(e *docker.Engine, within func(func())) *Carrier {
	l.t.Helper()
	var p *Proxy
	var err error
	log := slog.New(slog.DiscardHandler)
	within(func() { p, err = Listen("127.0.0.1:0", l, log) })
	testkit.Must(l.t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(l.t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); _ = p.Run(ctx) }() // ends with stop
	l.t.Cleanup(func() { stop(); <-ended })
	return &Carrier{Engine: e, Proxy: p, Node: "n1", Log: log}
}

// Registry is the way of both nodes to the registry.
func (l *lab) Registry(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	to := *l.url
	to.Path, to.RawQuery = req.URL.Path, req.URL.RawQuery
	out.URL = &to
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return nil, cluster.Unavailable("can't reach the pacemaker: %v", err)
	}
	return resp, nil
}

const megabyte = 1 << 20

// image builds an image of an app with layers of so many megabytes that can't be
// packed.
func (l *lab) image(megabytes ...int) Wanted {
	l.t.Helper()
	return l.imageOn(l.engine, megabytes...)
}

func (l *lab) imageOn(e *docker.Engine, megabytes ...int) Wanted {
	l.t.Helper()
	program := make([]byte, 0, 64*megabyte)
	var lines []string
	for range megabytes {
		lines = append(lines, "COPY app /testapp")
	}
	for _, m := range megabytes {
		part := make([]byte, m*megabyte)
		_, _ = rand.Read(part)
		program = append(program, part...)
	}
	img := rig.ImageOf(l.t, e, l.id, program, lines...)
	build := cluster.ID(img.Ref[strings.LastIndex(img.Ref, ":")+1:])
	return Wanted{App: l.app, Build: build, Image: img}
}

// push sends an image, and gives it with its digest.
func (l *lab) push(want Wanted) Wanted {
	l.t.Helper()
	return l.pushFrom(l.builder, want)
}

func (l *lab) pushFrom(c *Carrier, want Wanted) Wanted {
	l.t.Helper()
	var err error
	want.Image, err = c.Push(l.t.Context(), want, func(string) {}, func(string) {})
	testkit.Must(l.t, err)
	return want
}

func (l *lab) has(e *docker.Engine, want Wanted) bool {
	l.t.Helper()
	has, err := e.Has(l.t.Context(), want.Image)
	testkit.Must(l.t, err)
	return has
}

// names are those of an image on an engine. One that leaves images to containerd gives
// each of their names a digest, which goes with the name.
func (l *lab) names(e *docker.Engine, want Wanted) []string {
	l.t.Helper()
	img, err := e.Find(l.t.Context(), want.Image)
	testkit.Must(l.t, err)
	own, _, _ := strings.Cut(want.Image.Ref, ":")
	return append(img.Tags, slices.DeleteFunc(img.Digests, func(name string) bool { return strings.HasPrefix(name, own+"@") })...)
}

// cutting cuts the answers to the first requests of a kind after so many bytes.
func cutting(method, part string, times int, after int64) func(http.ResponseWriter, *http.Request, http.Handler) {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		cut := times > 0 && r.Method == method && strings.Contains(r.URL.Path, part)
		if cut {
			times--
		}
		mu.Unlock()
		if !cut {
			next.ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodPatch {
			_, _ = io.CopyN(io.Discard, r.Body, after)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(&short{w, after}, r)
	}
}

// short is an answer that is cut.
type short struct {
	http.ResponseWriter
	left int64
}

func (s *short) Write(p []byte) (int, error) {
	n, err := s.ResponseWriter.Write(p[:min(int64(len(p)), s.left)])
	if s.left -= int64(n); s.left == 0 {
		s.ResponseWriter.(*counted).ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}
