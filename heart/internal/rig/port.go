package rig

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreePort finds a port that nothing listens on at any address, in the range
// that hearts publish instances in.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatal("no free port in 20000 … 29999")
	return 0
}
