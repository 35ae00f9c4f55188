package live

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
)

func TestEventStream_LetsGoOfAReaderThatTakesNothing(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s := newEventStream(w, 200*time.Millisecond)
		for {
			if err := s.send("line", "1", strings.Repeat("x", 64<<10)); err != nil {
				ended <- err
				return
			}
		}
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	testkit.Must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	testkit.Must(t, err)

	if err := testkit.Receive(t, "the stream to let go of a reader that takes nothing", ended); err == nil {
		t.Error("got nil, want why the write failed")
	}
}
