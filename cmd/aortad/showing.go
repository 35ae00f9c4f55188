package main

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"aorta/internal/backoff"
)

// Addresses that could not be shown are tried again, ever less often: the other end may
// not know the way there, which an operator mends or leaves.
const (
	firstShowing = 5 * time.Second
	lastShowing  = 10 * time.Minute
)

// showing is how often an address was tried in vain, and when it is due again.
type showing struct {
	failures int
	due      time.Time
}

// toShow is what the pacemaker wants shown, and where else than at its usual address.
type toShow struct{ addresses, at []string }

// ask has addresses shown, in place of those that were asked for before.
func (n *neighbours) ask(s toShow) {
	select {
	case <-n.asked:
	default:
	}
	if len(s.addresses) == 0 {
		return
	}
	select {
	case n.asked <- s:
	default: // somebody else has asked
	}
}

// keepShowing shows the addresses that the pacemaker asks for, one after the other.
func (n *neighbours) keepShowing(ctx context.Context) error {
	tried := map[string]showing{}
	for {
		var asked toShow
		select {
		case <-ctx.Done():
			return ctx.Err()
		case asked = <-n.asked:
		}
		for a := range tried {
			if !slices.Contains(asked.addresses, a) {
				delete(tried, a)
			}
		}
		for _, a := range asked.addresses {
			if s := tried[a]; !time.Now().Before(s.due) {
				tried[a] = n.tryShowing(ctx, a, asked.at, s)
			}
		}
	}
}

func (n *neighbours) tryShowing(ctx context.Context, address string, at []string, s showing) showing {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return showing{due: time.Now().Add(lastShowing)} // of another version: not what was said
	}
	if err = n.Show(ctx, ip, at...); err == nil {
		return showing{due: time.Now().Add(firstShowing)}
	}
	if s.failures == 0 {
		n.log.Warn("the pacemaker can't know yet that this machine has an address", "address", address, "err", err)
	}
	s.due = time.Now().Add(backoff.After(s.failures, firstShowing, lastShowing))
	s.failures++
	return s
}

// showFirst shows the address that instances are published on before the node says that
// it is there. One that can't be shown now is asked for by the answer to a report.
func (n *neighbours) showFirst(ctx context.Context, address string) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return // none
	}
	if err := n.Show(ctx, ip); err != nil {
		n.log.Debug("could not show the node's address", "address", address, "err", err)
	}
}
