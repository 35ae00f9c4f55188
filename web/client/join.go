package client

import (
	"context"
	"errors"
	"net/http"

	"aorta/internal/pki"
	"aorta/pacemaker/cluster"
	"aorta/web/nodewire"
)

// Join asks the nodes' API at an address for a node's identity. The token says by which
// authority the other side must be known; another one never sees the token.
func Join(ctx context.Context, address string, j cluster.Join) (cluster.Joined, error) {
	fingerprint, err := cluster.JoinFingerprint(j.Token)
	if err != nil {
		return cluster.Joined{}, err
	}
	transport := newTransport(nil)
	transport.TLSClientConfig = pki.TrustFingerprint(fingerprint)
	defer transport.CloseIdleConnections()
	e, err := newEndpoint(address, j.Token, "aortad", &http.Client{Transport: transport, CheckRedirect: noRedirects})
	if err != nil {
		return cluster.Joined{}, err
	}
	if e.base.Scheme != "https" {
		return cluster.Joined{}, cluster.Invalid("", "%s is not the address of a nodes' API, which is spoken to by https (such as https://10.0.0.1:7421)", address)
	}
	c, err := input{body: nodewire.FromJoin(j), limit: askTimeout}.call([]string{"join"})
	if err != nil {
		return cluster.Joined{}, err
	}
	answer, err := exchange[nodewire.Joined](ctx, e, c)
	return answer.Domain(), notTheCluster(address, err)
}

// notTheCluster tells what answers at the address and is not what the token is for from
// what does not answer: asking it again changes nothing.
func notTheCluster(address string, err error) error {
	var foreign *pki.ForeignError
	switch {
	case errors.As(err, &foreign):
		return cluster.Conflict("%s is not where this token is from: %s", address, foreign)
	case errors.Is(err, http.ErrSchemeMismatch):
		return cluster.Conflict("%s speaks no TLS, so it is not the nodes' API: that is at port 7421 by default, beside the API for people at 7420", address)
	}
	return err
}
