package redisd

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
)

// Ports that are neither handed out to outgoing connections, which could take
// one while its server restarts, nor used for instances.
const (
	firstPort = 10000
	ports     = 10000
	portTries = 200
)

// FreePort returns a TCP port that nothing listens on at the address now. It
// isn't reserved: listen soon, and record it.
func FreePort(ip string) (int, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	var last error
	for range portTries {
		port := firstPort + rand.IntN(ports)
		l, err := net.Listen("tcp", net.JoinHostPort(addr.String(), strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		return port, nil
	}
	return 0, fmt.Errorf("find a free port on %s after %d tries: %w", ip, portTries, last)
}
