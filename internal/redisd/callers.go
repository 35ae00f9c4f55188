package redisd

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
)

const (
	// callersEvery is how often it is looked who has connected over TCP.
	callersEvery = time.Second
	// strangerAge is how long somebody may take to log in.
	strangerAge = 10 * time.Second
	// maxEach is how many connections one user may have, and how many one address
	// before it has logged in. A node needs some 50.
	maxEach = 200
	// callersTold is how often it is said at most that some were turned away.
	callersTold = time.Minute
)

// caller is one connection over TCP.
type caller struct {
	id   int64
	who  string // the user, or where somebody comes from who has not logged in
	age  time.Duration
	in   bool // logged in
	addr string
}

// bound turns away who takes the room of others, until ctx ends. It holds one
// connection, since there is no other one to be had once all are taken.
func (s *Server) bound(ctx context.Context) {
	var conn *redis.Conn
	var away turned
	for tick.Next(ctx, callersEvery) {
		if conn == nil {
			conn = s.client.Conn()
		}
		gone, err := turnAway(ctx, conn)
		if err != nil { // that the server does not answer is for others to tell
			_ = conn.Close()
			conn = nil
		}
		if now := time.Now(); away.add(gone, now) {
			s.log.Warn("connections were ended: they had not logged in, or were too many", "count", away.count, "one_of", away.last)
			away.reset(now)
		}
	}
	if conn != nil {
		_ = conn.Close()
	}
}

// turnAway ends the connections that are too many, or too long not logged in.
func turnAway(ctx context.Context, conn *redis.Conn) ([]caller, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	list, err := conn.ClientList(ctx).Result()
	if err != nil {
		return nil, err
	}
	gone := surplus(callers(list))
	if len(gone) == 0 {
		return nil, nil
	}
	_, err = conn.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range gone {
			p.Do(ctx, "client", "kill", "id", c.id)
		}
		return nil
	})
	return gone, err
}

// surplus are those to turn away: the oldest of each stay.
func surplus(all []caller) []caller {
	slices.SortFunc(all, func(a, b caller) int { return cmp.Compare(a.id, b.id) })
	var gone []caller
	seen := map[string]int{}
	for _, c := range all {
		seen[c.who]++
		if seen[c.who] > maxEach || !c.in && c.age > strangerAge {
			gone = append(gone, c)
		}
	}
	return gone
}

// callers reads CLIENT LIST, without those on the socket and without the
// administrator.
func callers(list string) []caller {
	var out []caller
	for line := range strings.Lines(list) {
		c, user := callerOf(line)
		at, err := netip.ParseAddrPort(c.addr)
		if err != nil || user == adminUser {
			continue
		}
		c.who, c.in = "user "+user, user != "default"
		if !c.in {
			c.who = network(at.Addr())
		}
		out = append(out, c)
	}
	return out
}

// callerOf reads what one line says of itself.
func callerOf(line string) (c caller, user string) {
	for part := range strings.FieldsSeq(line) {
		switch key, value, _ := strings.Cut(part, "="); key {
		case "id":
			c.id, _ = strconv.ParseInt(value, 10, 64)
		case "addr":
			c.addr = value
		case "age":
			seconds, _ := strconv.Atoi(value)
			c.age = time.Duration(seconds) * time.Second
		case "user":
			user = value
		}
	}
	return c, user
}

// network is what one machine can have addresses of.
func network(ip netip.Addr) string {
	bits := 64
	if ip = ip.Unmap(); ip.Is4() {
		bits = 32
	}
	return fmt.Sprint(netip.PrefixFrom(ip, bits).Masked())
}
