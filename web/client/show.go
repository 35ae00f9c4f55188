package client

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"aorta/pacemaker/cluster"
)

// showTimeout is how long a connection from an address may take: where the pacemaker's
// answers don't come back, it never ends by itself.
const showTimeout = 3 * time.Second

// Show connects to the pacemaker from an address of this machine, by which that knows
// that the node is there: to where the node knows it, or at one of further addresses
// where that is of the other internet protocol. It is unavailable when there is no way.
func (n *Node) Show(ctx context.Context, from netip.Addr, at ...string) error {
	d, err := n.endpoint().towards(from, at)
	if err != nil {
		return err
	}
	transport := newTransport(nil)
	transport.TLSClientConfig = n.trust
	transport.DialContext = (&net.Dialer{Timeout: showTimeout, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}).DialContext
	defer transport.CloseIdleConnections()
	d.http = &http.Client{Transport: transport, CheckRedirect: noRedirects}
	c, err := input{limit: showTimeout}.call([]string{"nodes", n.id, "address"})
	if err != nil {
		return err
	}
	_, err = exchange[nothing](ctx, d, c)
	return err
}

// towards is the endpoint at the first of its addresses that a connection from one of
// ours can lead to.
func (e *endpoint) towards(from netip.Addr, further []string) (*endpoint, error) {
	for _, at := range append([]string{e.base.String()}, further...) {
		d, err := newEndpoint(at, e.token, e.agent, nil)
		if err != nil {
			return nil, err
		}
		if host, err := netip.ParseAddr(d.base.Hostname()); err != nil || host.Is4() == from.Is4() {
			return d, nil
		}
	}
	return nil, cluster.Unavailable("the pacemaker is at %s, which no connection from %s can lead to", e.base.Host, from)
}
