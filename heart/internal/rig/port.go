package rig

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// given are the ports that this process has been given: one that is let go of is not
// another's, since it is used later.
var given sync.Map

// FreePort finds a port that nothing listens on at any address, in the range
// that hearts publish instances in, each time another one.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port)); err == nil {
			_ = l.Close()
			if _, taken := given.LoadOrStore(port, true); !taken {
				return port
			}
		}
	}
	tb.Fatal("no free port in 20000 … 29999")
	return 0
}
