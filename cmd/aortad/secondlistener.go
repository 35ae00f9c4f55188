package main

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
	"aorta/web"
)

// secondListener is the nodes' API at an address of the internet protocol that its own listener
// has not: nodes show their addresses of that protocol there.
type secondListener struct {
	mu  sync.Mutex // guards url
	url string     // empty: it is not open
}

// urls is where nodes may show their addresses, beside where they know the pacemaker.
func (o *secondListener) urls() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.url == "" {
		return nil
	}
	return []string{o.url}
}

// retryListen is how often an address is looked for that can be listened on: it may
// come after the daemon, and be taken.
const retryListen = 10 * time.Second

// openSecond opens the second listener once this machine has an address for it in networks
// where nodes are. Nothing depends on it but what nodes can show.
func (c *controller) openSecond(listen string, o web.Options) {
	at, err := netip.ParseAddrPort(listen)
	if err != nil || cluster.ValidateNodeAddress("", at.Addr().String()) != nil {
		return // for this machine alone, or for everyone
	}
	c.d.loop("nodes' API of the other protocol", func(ctx context.Context) error {
		for said := false; ; {
			if o.Address = secondAddress(at); o.Address != "" {
				server, err := web.Listen(o)
				if err == nil {
					c.other.open("https://" + o.Address)
					return server.Run(ctx)
				}
				if !said {
					c.d.log.Warn("nodes can't show their addresses of the other internet protocol; trying again", "listen", o.Address, "err", err)
					said = true
				}
			}
			if !tick.Next(ctx, retryListen) {
				return ctx.Err()
			}
		}
	})
}

// secondAddress is the first of this machine's of the other protocol, with the same port;
// empty for none.
func secondAddress(than netip.AddrPort) string {
	own, _ := machineAddresses() // tried again
	i := slices.IndexFunc(own, func(ip netip.Addr) bool {
		return ip.Is4() != than.Addr().Is4() && cluster.ValidateNodeAddress("", ip.String()) == nil
	})
	if i < 0 {
		return ""
	}
	return netip.AddrPortFrom(own[i], than.Port()).String()
}

func (o *secondListener) open(url string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.url = url
}
