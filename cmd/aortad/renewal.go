package main

import (
	"context"
	"time"

	"aorta/internal/pause"
	"aorta/internal/pki"
)

const (
	// renewalLook is how often it is looked at least whether the certificate is to be
	// renewed: clocks jump.
	renewalLook = time.Hour
	// renewalAgain is how soon after a failure at the earliest.
	renewalAgain = time.Minute
)

// keepCertificate renews the node's certificate long before its end, until ctx ends.
func (n *node) keepCertificate(ctx context.Context) error {
	for pause.For(ctx, n.untilRenewal()) {
		if n.untilRenewal() > 0 {
			continue
		}
		if err := n.renew(ctx); err != nil && ctx.Err() == nil {
			ends := n.who.keys.Certificate().NotAfter
			wait := min(max(time.Until(ends)/10, renewalAgain), renewalLook)
			n.d.log.Warn("the node's certificate could not be renewed", "again_in", wait, "err", err, "until", ends)
			pause.For(ctx, wait)
		}
	}
	return nil
}

// untilRenewal is how long nothing has to be done.
func (n *node) untilRenewal() time.Duration {
	return min(max(time.Until(pki.RenewAt(n.who.keys.Certificate())), 0), renewalLook)
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
