package images

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// Upstream reaches the cluster's registry as this node. A request's address has the
// path and the query alone. An answer of any status is none of an error.
type Upstream interface {
	Registry(req *http.Request) (*http.Response, error)
}

// Proxy is the registry as the engine sees it: on the loopback of this machine, for
// the engine alone. Containers do not reach it, and it knows nobody but by the
// password of a transfer that is under way, which the engine is told with its order:
// other users of the machine get 401.
type Proxy struct {
	up       Upstream
	log      *slog.Logger
	listener net.Listener
	http     *http.Server

	mu      sync.Mutex // guards tickets
	tickets map[string]*ticket
}

// ticket lets the engine make one transfer.
type ticket struct {
	docker.Credentials
	app  cluster.ID
	push bool
	say  *teller
	stop func() // ends the transfer

	mu    sync.Mutex // guards cause
	cause error      // why the last request was not answered as it should
}

// Listen takes the proxy's address; Run serves it.
func Listen(address string, up Upstream, log *slog.Logger) (*Proxy, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the engine on %s: %w", address, err)
	}
	p := &Proxy{up: up, log: log, listener: l, tickets: map[string]*ticket{}}
	p.http = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	return p, nil
}

// Address is where the engine finds it: the first part of images' names.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Run serves until ctx ends; the transfers under way end with it.
func (p *Proxy) Run(ctx context.Context) error {
	p.http.BaseContext = func(net.Listener) context.Context { return ctx }
	done := make(chan error, 1)
	go func() { done <- p.http.Serve(p.listener) }() // ends with Close
	select {
	case err := <-done:
		return fmt.Errorf("serve the registry for the engine: %w", err)
	case <-ctx.Done():
	}
	_ = p.http.Close()
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}

// open lets the engine transfer images of one app, until the ticket is closed; stop
// is called when that can't succeed.
func (p *Proxy) open(app cluster.ID, push bool, say *teller, stop func()) *ticket {
	t := &ticket{Credentials: docker.Credentials{User: rand.Text(), Password: rand.Text()}, app: app, push: push, say: say, stop: stop}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tickets[t.User] = t
	return t
}

func (p *Proxy) close(t *ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tickets, t.User)
}

// holder is the ticket that a request shows; nil for none.
func (p *Proxy) holder(r *http.Request) *ticket {
	user, password, ok := r.BasicAuth()
	p.mu.Lock()
	t := p.tickets[user]
	p.mu.Unlock()
	if !ok || t == nil || subtle.ConstantTimeCompare([]byte(password), []byte(t.Password)) != 1 {
		return nil
	}
	return t
}

func (t *ticket) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cause = err
}

// why is the cause of an engine's error, as far as that is known here.
func (t *ticket) why() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause
}

// ServeHTTP passes on what the engine asks for its transfer.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := p.holder(r)
	if t == nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="aorta"`)
		http.Error(w, "this is for the Docker engine of this node", http.StatusUnauthorized)
		return
	}
	dropForeignMount(r)
	ask, err := cluster.ParseRegistryRequest(r.Method, r.URL.Path, r.URL.Query())
	if err != nil || ask.App != "" && ask.App != t.app || ask.Push && !t.push {
		http.Error(w, "this transfer is of another image", http.StatusForbidden)
		return
	}
	c := &carry{p: p, t: t, w: w, r: r}
	switch {
	case ask.Blob != "" && r.Method == http.MethodGet:
		c.blob()
	case r.Method == http.MethodPatch, r.Method == http.MethodPut:
		c.once()
	default:
		c.patiently()
	}
}

// dropForeignMount has a layer sent that the engine would have the registry take over
// from a repository of another one, where the image is from: to an engine that leaves
// images to containerd, all registries of one host are one.
func dropForeignMount(r *http.Request) {
	query := r.URL.Query()
	if _, err := cluster.ParseID(query.Get("from")); !query.Has("from") || err == nil {
		return
	}
	query.Del("mount")
	query.Del("from")
	r.URL.RawQuery = query.Encode()
}
