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

// otherDoor is the nodes' API at an address of the internet protocol that its own listener
// has not: nodes show their addresses of that protocol there.
type otherDoor struct {
	mu  sync.Mutex // guards url
	url string     // empty: it is not open
}

// urls is where nodes may show their addresses, beside where they know the pacemaker.
func (o *otherDoor) urls() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.url == "" {
		return nil
	}
	return []string{o.url}
}

// lookForOther is how often an address is looked for that can be listened on: it may
// come after the daemon, and be taken.
const lookForOther = 10 * time.Second

// openOther opens the other door once this machine has an address for it in networks
// where nodes are. Nothing depends on it but what nodes can show.
func (c *controller) openOther(listen string, o web.Options) {
	at, err := netip.ParseAddrPort(listen)
	if err != nil || cluster.ValidateNodeAddress("", at.Addr().String()) != nil {
		return // for this machine alone, or for everyone
	}
	c.d.loop("nodes' API of the other protocol", func(ctx context.Context) error {
		for {
			if o.Address = otherAddress(at); o.Address != "" {
				if server, err := web.Listen(o); err == nil {
					c.other.open("https://" + o.Address)
					return server.Run(ctx)
				}
			}
			if !tick.Next(ctx, lookForOther) {
				return ctx.Err()
			}
		}
	})
}

// otherAddress is the first of this machine's of the other protocol, with the same port;
// empty for none.
func otherAddress(than netip.AddrPort) string {
	own, _ := machineAddresses() // tried again
	i := slices.IndexFunc(own, func(ip netip.Addr) bool {
		return ip.Is4() != than.Addr().Is4() && cluster.ValidateNodeAddress("", ip.String()) == nil
	})
	if i < 0 {
		return ""
	}
	return netip.AddrPortFrom(own[i], than.Port()).String()
}

func (o *otherDoor) open(url string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.url = url
}
