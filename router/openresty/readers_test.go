package openresty

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"aorta/internal/testkit"
)

// readsNothing asks for the host's answer and takes as little of it as TCP allows.
func (r *rig) readsNothing(host string) (port int) {
	r.tb.Helper()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) })
	}}
	conn, err := dialer.DialContext(r.tb.Context(), "tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.tb.Fatalf("dial: %v", err)
	}
	r.tb.Cleanup(func() { _ = conn.Close() })
	newWire(r.tb, conn).send("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
	return conn.LocalAddr().(*net.TCPAddr).Port
}

// waiting is how many bytes the kernel holds in the router's connection to the
// client at that port. Others of the machine may have had a client there.
func (r *rig) waiting(port int) (bytes int64) {
	tb := r.tb
	tb.Helper()
	_, own, err := net.SplitHostPort(strings.TrimPrefix(r.base, "http://"))
	testkit.Must(tb, err)
	listens, err := strconv.Atoi(own)
	testkit.Must(tb, err)
	text, err := os.ReadFile("/proc/net/tcp")
	testkit.Must(tb, err)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", listens)) && strings.HasSuffix(f[2], fmt.Sprintf(":%04X", port)) {
			_, err := fmt.Sscanf(f[4], "%x:", &bytes)
			testkit.Must(tb, err)
		}
	}
	return bytes
}

// A client that reads nothing of an answer without end costs the machine little.
func TestNginx_HoldsLittleForWhoReadsNothing(t *testing.T) {
	t.Parallel()
	const most = 400 << 10 // 256 kB, the client's window, and the last piece
	r := newRig(t)
	var written atomic.Int64
	r.publish(route("shop.example.com", newApp(t, func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 32<<10)
		for {
			n, err := w.Write(piece)
			if err != nil {
				return
			}
			written.Add(int64(n))
		}
	})))

	port := r.readsNothing("shop.example.com")
	before, same := int64(0), 0
	testkit.Eventually(t, "the app to be held up", func() bool {
		now := written.Load()
		if now != before || now == 0 {
			before, same = now, 0
		}
		same++
		return same > 20 && r.waiting(port) > 0
	})

	if got := r.waiting(port); got == 0 || got > most {
		t.Errorf("got %d bytes that wait for the client, want some and at most %d", got, most)
	}
}
