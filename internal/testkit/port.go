package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// The ports of tests lie apart from those that daemons choose, that instances
// get (20000 … 29999) and that outgoing connections take: a server that was
// killed finds its own free again.
const firstPort, portCount = 30000, 2500

// lastPort is the last one that was given: what is not listened on yet must not
// be given twice.
var lastPort atomic.Int32

// claims hold, until this process ends, an abstract socket for each port that it
// gave out: the tests of several packages run at the same time.
var claims sync.Map // port → net.Listener

// claim makes the port this process' own among all that run tests.
func claim(port string) bool {
	l, err := net.Listen("unix", "@aorta-test-port-"+port)
	if err != nil {
		return false
	}
	claims.Store(port, l)
	return true
}

func init() { lastPort.Store(rand.Int32N(portCount)) }

// FreePort finds a TCP port of 127.0.0.1 that nothing listens on.
func FreePort(tb testing.TB) string {
	tb.Helper()
	for range portCount {
		port := strconv.Itoa(firstPort + int(lastPort.Add(1))%portCount)
		if !claim(port) {
			continue
		}
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatalf("no port of 127.0.0.1 is free from %d to %d", firstPort, firstPort+portCount-1)
	return ""
}

// FreeAddr is 127.0.0.1 with a free port.
func FreeAddr(tb testing.TB) string {
	tb.Helper()
	return net.JoinHostPort("127.0.0.1", FreePort(tb))
}
