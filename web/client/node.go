package client

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"aorta/pacemaker/cluster"
)

// The limits of the node API's calls. A report must not outlast the interval
// at which hearts are declared dead.
const (
	reportTimeout = 5 * time.Second
	askTimeout    = 10 * time.Second
	shipTimeout   = 30 * time.Second
)

// Node speaks the API of the nodes' listener as one node. Nothing is sent
// twice by itself: reports and shippers have their own ways of trying again.
// It may be used by many goroutines. Close it when done.
type Node struct {
	doors   []*door
	current atomic.Uint32 // index of the door that is used; moves on when one is unreachable
	id      string
	close   func()
}

// NewNode makes the client of the node with that id and token. When the
// pacemaker at one address can't be reached, the next call goes to the next.
func NewNode(baseURLs []string, nodeID, token string) (*Node, error) {
	if len(baseURLs) == 0 {
		return nil, cluster.Invalid("", "no address of a pacemaker is known")
	}
	if _, err := path(nodeID); err != nil {
		return nil, err
	}
	transport := newTransport(nil)
	n := &Node{id: nodeID, close: transport.CloseIdleConnections}
	for _, u := range baseURLs {
		d, err := newDoor(u, token, "aortad", &http.Client{Transport: transport, CheckRedirect: noRedirects})
		if err != nil {
			return nil, err
		}
		n.doors = append(n.doors, d)
	}
	return n, nil
}

// Close drops the idle connections.
func (n *Node) Close() { n.close() }

// URL is the address that the next call goes to.
func (n *Node) URL() string { return n.door().base.String() }

// Hello opens the node's session. A second process with the node's identity is
// a conflict.
func (n *Node) Hello(ctx context.Context, h cluster.Hello) (cluster.Welcome, error) {
	return tell[cluster.Welcome](ctx, n, told{body: h, limit: askTimeout}, "hello")
}

// Report says how the node is and hears what it lacks.
func (n *Node) Report(ctx context.Context, r cluster.Report) (cluster.ReportAnswer, error) {
	return tell[cluster.ReportAnswer](ctx, n, told{body: r, limit: reportTimeout}, "report")
}

// RouterReport says what the node's router serves.
func (n *Node) RouterReport(ctx context.Context, r cluster.RouterReport) error {
	_, err := tell[nothing](ctx, n, told{body: r, limit: reportTimeout}, "router")
	return err
}

// Spec is all that is needed to run one of the node's own instances; it holds
// secrets. One that is no longer wanted here is not found.
func (n *Node) Spec(ctx context.Context, id cluster.ID) (cluster.InstanceSpec, error) {
	return ask[cluster.InstanceSpec](ctx, n, "instances", string(id), "spec")
}

// OtherPort says that this node can't use a port, and gives the spec with
// another one.
func (n *Node) OtherPort(ctx context.Context, id cluster.ID, refused int) (cluster.InstanceSpec, error) {
	return tell[cluster.InstanceSpec](ctx, n, told{body: map[string]int{"refused": refused}, limit: askTimeout}, "instances", string(id), "port")
}

// ShipLogs hands over lines of the node's instances.
func (n *Node) ShipLogs(ctx context.Context, lines []cluster.LogLine) error {
	_, err := tell[nothing](ctx, n, told{body: lines, limit: shipTimeout}, "logs")
	return err
}

// KeepImages names the images that must stay on the node.
func (n *Node) KeepImages(ctx context.Context) (cluster.KeepImages, error) {
	return ask[cluster.KeepImages](ctx, n, "images")
}

// BuildSpec is what a builder needs to know of a build.
func (n *Node) BuildSpec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error) {
	return ask[cluster.BuildSpec](ctx, n, "builds", string(id))
}

// BuildSource is a build's source as a tar stream, which the caller closes.
// The context bounds the whole reading.
func (n *Node) BuildSource(ctx context.Context, id cluster.ID) (io.ReadCloser, error) {
	p, err := path("nodes", n.id, "builds", string(id), "source")
	if err != nil {
		return nil, err
	}
	d := n.door()
	resp, err := d.send(ctx, call{method: http.MethodGet, path: p})
	if err != nil {
		n.moveOn(d, err)
		return nil, err
	}
	return resp.Body, nil
}

// BuildDone says how a build ended.
func (n *Node) BuildDone(ctx context.Context, id cluster.ID, r cluster.BuildResult) error {
	_, err := tell[nothing](ctx, n, told{method: http.MethodPut, body: r, limit: shipTimeout}, "builds", string(id))
	return err
}

// ask reads what lies below the node's own path.
func ask[T any](ctx context.Context, n *Node, segments ...string) (T, error) {
	return tell[T](ctx, n, told{method: http.MethodGet, limit: askTimeout}, segments...)
}

// tell makes one call below the node's own path.
func tell[T any](ctx context.Context, n *Node, t told, segments ...string) (T, error) {
	c, err := t.call(append([]string{"nodes", n.id}, segments...))
	if err != nil {
		var none T
		return none, err
	}
	d := n.door()
	answer, err := exchange[T](ctx, d, c)
	n.moveOn(d, err)
	return answer, err
}

func (n *Node) door() *door { return n.doors[int(n.current.Load())%len(n.doors)] }

// moveOn goes to the next address when this one gave no usable answer, unless
// another call has gone on already.
func (n *Node) moveOn(from *door, err error) {
	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		return
	}
	at := n.current.Load()
	if n.doors[int(at)%len(n.doors)] == from {
		n.current.CompareAndSwap(at, at+1)
	}
}
