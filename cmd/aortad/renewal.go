package main

import (
	"context"
	"time"

	"aorta/internal/pause"
	"aorta/internal/pki"
)

// renewalCheck is how often it is looked whether the certificate is to be renewed.
const renewalCheck = time.Hour

// keepCertificate renews the node's certificate long before its end, until ctx ends.
func (n *node) keepCertificate(ctx context.Context) error {
	for pause.For(ctx, renewalCheck) {
		if cert := n.who.keys.Certificate(); time.Now().Before(pki.RenewAt(cert)) {
			continue
		}
		if err := n.renew(ctx); err != nil && ctx.Err() == nil {
			n.d.log.Warn("the node's certificate could not be renewed; trying again in an hour", "err", err, "until", n.who.keys.Certificate().NotAfter)
		}
	}
	return nil
}

// renew gets the next certificate for the node's key.
func (n *node) renew(ctx context.Context) error {
	request, err := n.who.keys.Request()
	if err != nil {
		return err
	}
	cert, err := n.client.Renew(ctx, string(request))
	if err != nil {
		return err
	}
	if err := n.who.keys.Install([]byte(cert), nil); err != nil {
		return err
	}
	n.client.DropConnections()
	n.d.log.Info("the node's certificate is renewed", "until", n.who.keys.Certificate().NotAfter)
	return nil
}
