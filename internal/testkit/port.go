package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports that are handed out lie below those that the kernel gives to outgoing
// connections, so that a server that was killed finds its own free again.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreePort finds a TCP port of 127.0.0.1 that nothing listens on.
func FreePort(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort))
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	tb.Fatalf("no free port of 127.0.0.1 among 100 tried from %d to %d", firstPort, lastPort)
	return ""
}
