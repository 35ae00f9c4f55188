package client

import (
	"crypto/tls"
	"net/http"
	"sync/atomic"
)

// connections are those of a client whose certificate is replaced while it works. A
// connection shows the certificate that it was made with for as long as it lasts, and
// one of HTTP/2 on which something is always under way is never idle: closing what is
// idle does not move the calls to another one.
type connections struct {
	trust   *tls.Config
	current atomic.Pointer[http.Transport]
}

func newConnections(trust *tls.Config) *connections {
	c := &connections{trust: trust}
	c.current.Store(c.fresh())
	return c
}

func (c *connections) fresh() *http.Transport {
	t := newTransport(nil)
	t.TLSClientConfig = c.trust
	return t
}

// RoundTrip is part of http.RoundTripper.
func (c *connections) RoundTrip(r *http.Request) (*http.Response, error) {
	return c.current.Load().RoundTrip(r)
}

// CloseIdleConnections closes those on which nothing is under way.
func (c *connections) CloseIdleConnections() { c.current.Load().CloseIdleConnections() }

// renew has all later calls make new ones. What is under way goes on on those that it
// has, which are closed once nothing is left on them.
func (c *connections) renew() { c.current.Swap(c.fresh()).CloseIdleConnections() }
