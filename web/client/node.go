package client

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/web/nodewire"
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
	endpoints []*endpoint
	current   atomic.Uint32 // index of the endpoint that is used; moves on when one is unreachable
	id        string
	trust     *tls.Config
	conns     *connections
	renewal   renewal
}

// NewNode makes the client of the node with that id, whose connections are as trust
// says: they show the node's certificate. When the pacemaker at one address can't be
// reached, the next call goes to the next.
func NewNode(baseURLs []string, nodeID string, trust *tls.Config) (*Node, error) {
	if len(baseURLs) == 0 {
		return nil, cluster.Invalid("", "no address of a pacemaker is known")
	}
	if _, err := path(nodeID); err != nil {
		return nil, err
	}
	n := &Node{id: nodeID, trust: trust, conns: newConnections(trust)}
	for _, u := range baseURLs {
		d, err := newEndpoint(u, "", "aortad", &http.Client{Transport: n.conns, CheckRedirect: noRedirects})
		if err != nil {
			return nil, err
		}
		n.endpoints = append(n.endpoints, d)
	}
	return n, nil
}

// Close drops the idle connections.
func (n *Node) Close() { n.conns.CloseIdleConnections() }

// URL is the address that the next call goes to.
func (n *Node) URL() string { return n.endpoint().base.String() }

// Hello opens the node's session. A second process with the node's identity is
// a conflict.
func (n *Node) Hello(ctx context.Context, h cluster.Hello) (cluster.Welcome, error) {
	w, err := request[nodewire.Welcome](ctx, n, input{body: nodewire.FromHello(h), limit: askTimeout}, "hello")
	return w.Domain(), err
}

// renewPath is where a certificate is renewed, below the node's own path.
const renewPath = "certificate"

// Renew asks for the next certificate of the node's key, by a request in PEM.
func (n *Node) Renew(ctx context.Context, certificateRequest string) (string, error) {
	r, err := request[nodewire.Renewal](ctx, n, input{body: nodewire.Renewal{Request: certificateRequest}, limit: askTimeout}, renewPath)
	return r.Certificate, err
}

// DropConnections has the next calls make new connections, with the certificate that
// the node has by then.
func (n *Node) DropConnections() { n.conns.renew() }

// Report says how the node is and hears what it lacks.
func (n *Node) Report(ctx context.Context, r cluster.Report) (cluster.ReportAnswer, error) {
	a, err := request[nodewire.ReportAnswer](ctx, n, input{body: nodewire.FromReport(r), limit: reportTimeout}, "report")
	return a.Domain(), err
}

// RouterReport says what the node's router serves.
func (n *Node) RouterReport(ctx context.Context, r cluster.RouterReport) error {
	_, err := request[nothing](ctx, n, input{body: nodewire.FromRouterReport(r), limit: reportTimeout}, "router")
	return err
}

// Spec is all that is needed to run one of the node's own instances; it holds
// secrets. One that is no longer wanted here is not found.
func (n *Node) Spec(ctx context.Context, id cluster.ID) (cluster.InstanceSpec, error) {
	s, err := ask[nodewire.InstanceSpec](ctx, n, "instances", string(id), "spec")
	return s.Domain(), err
}

// OtherPort says that this node can't use a port, and gives the spec with
// another one.
func (n *Node) OtherPort(ctx context.Context, id cluster.ID, refused int) (cluster.InstanceSpec, error) {
	s, err := request[nodewire.InstanceSpec](ctx, n, input{body: nodewire.PortRefused{Refused: refused}, limit: askTimeout}, "instances", string(id), "port")
	return s.Domain(), err
}

// ShipLogs sends parts of the output of the node's instances, and gives the
// stored positions of those whose parts did not go on there.
func (n *Node) ShipLogs(ctx context.Context, parts []cluster.LogPart) ([]cluster.LogPosition, error) {
	p, err := request[nodewire.LogPositions](ctx, n, input{body: nodewire.FromLogParts(parts), limit: shipTimeout}, "output")
	return p.Domain(), err
}

// Images reports the cluster's images on the node's engine, and hears what
// becomes of each.
func (n *Node) Images(ctx context.Context, list []cluster.EngineImage) ([]cluster.ImageFate, error) {
	fates, err := request[nodewire.ImageFates](ctx, n, input{body: nodewire.FromEngineImages(list), limit: askTimeout}, "images")
	return fates.Domain(), err
}

// BuildSpec is what a builder needs to know of a build.
func (n *Node) BuildSpec(ctx context.Context, id cluster.ID) (cluster.BuildSpec, error) {
	s, err := ask[nodewire.BuildSpec](ctx, n, "builds", string(id))
	return s.Domain(), err
}

// BuildSource is a build's source as a tar stream, which the caller closes.
// The context bounds the whole reading.
func (n *Node) BuildSource(ctx context.Context, id cluster.ID) (io.ReadCloser, error) {
	p, err := path("nodes", n.id, "builds", string(id), "source")
	if err != nil {
		return nil, err
	}
	d := n.endpoint()
	resp, err := d.send(ctx, call{method: http.MethodGet, path: p})
	if err != nil {
		n.moveOn(d, err)
		return nil, err
	}
	return resp.Body, nil
}

// BuildDone says how a build ended.
func (n *Node) BuildDone(ctx context.Context, id cluster.ID, r cluster.BuildResult) error {
	_, err := request[nothing](ctx, n, input{method: http.MethodPut, body: nodewire.FromBuildResult(r), limit: shipTimeout}, "builds", string(id))
	return err
}

// Registry sends a request in the registry's protocol to the cluster's registry. Of
// the request's address, path and query count. The answer is the caller's to close,
// whatever its status; the error is that there is none.
func (n *Node) Registry(req *http.Request) (*http.Response, error) {
	d := n.endpoint()
	out := req.Clone(req.Context())
	to := *d.base
	to.Path, to.RawQuery = to.Path+req.URL.Path, req.URL.RawQuery
	out.URL, out.Host = &to, ""
	d.sign(out)
	resp, err := d.http.Do(out)
	if err != nil {
		err = d.failure(req.Context(), nil, err)
		n.moveOn(d, err)
		return nil, err
	}
	return resp, nil
}

// ask reads from below the node's own path.
func ask[T any](ctx context.Context, n *Node, segments ...string) (T, error) {
	return request[T](ctx, n, input{method: http.MethodGet, limit: askTimeout}, segments...)
}

// request makes one call below the node's own path.
func request[T any](ctx context.Context, n *Node, in input, segments ...string) (T, error) {
	c, err := in.call(append([]string{"nodes", n.id}, segments...))
	if err != nil {
		var none T
		return none, err
	}
	d := n.endpoint()
	before := n.conns.current.Load()
	answer, err := exchange[T](ctx, d, c)
	if unauthorized(err) && segments[0] != renewPath {
		// The connections of then are not those of now.
		has := func() bool { return n.conns.current.Load() != before }
		err = n.renewal.afterRefusal(ctx, err, has, func() (err error) {
			answer, err = exchange[T](ctx, d, c)
			return err
		})
	}
	n.moveOn(d, err)
	return answer, err
}

func unauthorized(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status == http.StatusUnauthorized
}

func (n *Node) endpoint() *endpoint { return n.endpoints[int(n.current.Load())%len(n.endpoints)] }

// moveOn goes to the next address when this one gave no usable answer, unless
// another call has gone on already.
func (n *Node) moveOn(from *endpoint, err error) {
	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		return
	}
	at := n.current.Load()
	if n.endpoints[int(at)%len(n.endpoints)] == from {
		n.current.CompareAndSwap(at, at+1)
	}
}
