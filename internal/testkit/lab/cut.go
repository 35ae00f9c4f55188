package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Cut is a broken connection.
type Cut struct {
	A string `json:"a"`
	B string `json:"b,omitempty"` // empty: from everybody
	// Loud says that who sends hears of it at once, as by a cable that is pulled out.
	// Else what is sent is gone without a word.
	Loud bool `json:"loud,omitempty"`
}

// Cut breaks one host's connection with another or with the clients, in both ways,
// or with everybody.
func (l *Lab) Cut(ctx context.Context, c Cut) error {
	if _, err := l.Room(c.A); err != nil {
		return err
	}
	if _, err := l.Room(c.B); err != nil && c.B != "" {
		return err
	}
	if c.A == c.B {
		return fmt.Errorf("%s can't be cut from itself", c.A)
	}
	return l.change(ctx, func(cuts []Cut) []Cut {
		return append(slices.DeleteFunc(cuts, c.same), c)
	})
}

// same says whether two are between the same.
func (c Cut) same(other Cut) bool {
	return c.A == other.A && c.B == other.B || c.A == other.B && c.B == other.A
}

// Heal mends all connections.
func (l *Lab) Heal(ctx context.Context) error {
	return l.change(ctx, func([]Cut) []Cut { return nil })
}

func (l *Lab) change(ctx context.Context, how func([]Cut) []Cut) error {
	now, unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	now.Cuts = how(now.Cuts)
	if err := now.write(); err != nil {
		return err
	}
	return l.apply(ctx, now.Cuts)
}

// apply makes switch and links be so, whatever they were.
func (l *Lab) apply(ctx context.Context, cuts []Cut) error {
	for _, tool := range []string{"iptables-restore", "ip6tables-restore"} {
		if err := l.Switch.tool(ctx, rules(cuts), tool); err != nil {
			return err
		}
	}
	var errs []error
	for _, r := range l.rooms() {
		if r.isUp() {
			errs = append(errs, l.setLink(ctx, r, !slices.Contains(cuts, Cut{A: r.Name, Loud: true})))
		}
	}
	return errors.Join(errs...)
}

// setLink takes a room's link up or down, and waits until its address of IPv6 is in
// use again, which that of IPv4 is at once.
func (l *Lab) setLink(ctx context.Context, r *Room, up bool) error {
	if !up {
		return r.tool(ctx, []string{"link set eth0 down"}, "ip", "-batch", "-")
	}
	if err := r.tool(ctx, []string{"link set eth0 up"}, "ip", "-batch", "-"); err != nil {
		return err
	}
	return until(ctx, "the address of "+r.Name, func() (bool, error) {
		return r.hearsItself(address6(l.placeOf(r))), ctx.Err()
	})
}

// hearsItself says whether what a room sends to an address of its own arrives.
func (r *Room) hearsItself(address string) bool {
	heard := r.inside(func() error {
		conn, err := net.ListenPacket("udp6", net.JoinHostPort(address, "0"))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.WriteTo([]byte("here"), conn.LocalAddr()); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			return err
		}
		_, _, err = conn.ReadFrom(make([]byte, 4))
		return err
	})
	return heard == nil
}

// placeOf is a room's in the lab's networks.
func (l *Lab) placeOf(r *Room) int {
	for _, h := range l.Hosts {
		if h.Room == r {
			return h.place
		}
	}
	return clientPlace
}

// rooms are those at the switch.
func (l *Lab) rooms() []*Room {
	rooms := []*Room{l.Clients}
	for _, h := range l.Hosts {
		rooms = append(rooms, h.Room)
	}
	return rooms
}

// rules are those of the switch, of IPv4 as of IPv6.
func rules(cuts []Cut) []string {
	lines := []string{"*filter", ":FORWARD ACCEPT"}
	for _, c := range cuts {
		switch {
		case c.B == "" && c.Loud: // its link is down
		case c.B == "":
			lines = append(lines, "-A FORWARD -m physdev --physdev-in "+c.A+" -j DROP", "-A FORWARD -m physdev --physdev-out "+c.A+" -j DROP")
		default:
			lines = append(append(lines, between(c.A, c.B, c.Loud)...), between(c.B, c.A, c.Loud)...)
		}
	}
	return append(lines, "COMMIT")
}

func between(from, to string, loud bool) []string {
	path := fmt.Sprintf("-A FORWARD -m physdev --physdev-in %s --physdev-out %s", from, to)
	if !loud {
		return []string{path + " -j DROP"}
	}
	return []string{path + " -p tcp -j REJECT --reject-with tcp-reset", path + " -j REJECT"}
}

// String says it as it is typed.
func (c Cut) String() string {
	words := []string{"cut", c.A}
	if c.B != "" {
		words = append(words, c.B)
	}
	if c.Loud {
		words = append(words, "--loud")
	}
	return strings.Join(words, " ")
}
