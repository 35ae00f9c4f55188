package registry

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Moved is what of images and their manifests has gone from and to a node since the
// registry was opened, in bytes.
type Moved struct{ Sent, Received int64 }

// traffic counts for each node.
type traffic struct {
	mu     sync.Mutex // guards byNode
	byNode map[string]*counted
}

type counted struct{ sent, received atomic.Int64 }

// Moved is what has moved, by the name of the node.
func (r *Registry) Moved() map[string]Moved { return r.traffic.moved() }

func (t *traffic) moved() map[string]Moved {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[string]Moved{}
	for node, c := range t.byNode {
		all[node] = Moved{c.sent.Load(), c.received.Load()}
	}
	return all
}

func (t *traffic) of(node string) *counted {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byNode == nil {
		t.byNode = map[string]*counted{}
	}
	if t.byNode[node] == nil {
		t.byNode[node] = &counted{}
	}
	return t.byNode[node]
}

// For answers requests of a node that may make them.
func (r *Registry) For(node string) http.Handler { return r.traffic.through(node, r) }

// through counts what goes through a handler.
func (t *traffic) through(node string, h http.Handler) http.Handler {
	c := t.of(node)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Body = &countedBody{req.Body, c}
		h.ServeHTTP(&countedAnswer{w, c}, req)
	})
}

type countedBody struct {
	io.ReadCloser
	c *counted
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.c.received.Add(int64(n))
	return n, err
}

type countedAnswer struct {
	http.ResponseWriter
	c *counted
}

// Write is part of http.ResponseWriter.
func (a *countedAnswer) Write(p []byte) (int, error) {
	n, err := a.ResponseWriter.Write(p)
	a.c.sent.Add(int64(n))
	return n, err
}
