package nodeapi

import (
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"aorta/pacemaker/cluster"
)

// What nodes may have under way here, so that none takes the memory of all. A node's
// workers have some twenty jobs at a time, each with a request, and it ships output in
// bodies of some 2 MB.
const (
	maxNodeRequests = 64
	maxNodeBytes    = 8 << 20
	maxBytes        = 64 << 20
)

// room is for the requests under way and their bodies, whose sizes count before any of
// them is read.
type room struct {
	mu    sync.Mutex // guards all below
	bytes int64
	nodes map[cluster.ID]share
}

func newRoom() room { return room{nodes: map[cluster.ID]share{}} }

// share is what one node has of it.
type share struct {
	requests int
	bytes    int64
}

// enter takes room for a request until it is given back.
func (r *room) enter(node cluster.Node, size int64) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	has := r.nodes[node.ID]
	switch {
	case has.requests >= maxNodeRequests:
		return nil, cluster.TooMany("node %q has %d requests under way, as many as it may", node.Name, has.requests)
	case has.bytes+size > maxNodeBytes:
		return nil, cluster.TooMany("node %q has requests of %d bytes under way, and may have %d", node.Name, has.bytes, maxNodeBytes)
	case r.bytes+size > maxBytes:
		return nil, cluster.Unavailable("the nodes have requests of %d bytes under way, and may have %d", r.bytes, maxBytes)
	}
	r.add(node.ID, 1, size)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.add(node.ID, -1, -size)
	}, nil
}

func (r *room) add(node cluster.ID, requests int, size int64) {
	has := r.nodes[node]
	has.requests += requests
	has.bytes += size
	r.bytes += size
	if r.nodes[node] = has; has.requests == 0 {
		delete(r.nodes, node)
	}
}

// sizeOf is how much of a request's body may be read: all that is allowed when it does
// not say how long it is.
func sizeOf(ctx huma.Context) int64 {
	req, _ := humachi.Unwrap(ctx)
	most := ctx.Operation().MaxBodyBytes
	if req.ContentLength < 0 || req.ContentLength > most {
		return max(most, 0)
	}
	return req.ContentLength
}
