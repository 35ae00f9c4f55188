package rest

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// What is still read of a request that has its answer already. Both bounds are
// there so that nobody can hold the server by sending on and on.
const (
	lingerBytes = 8 << 20
	lingerTime  = 2 * time.Second
)

// lingering lets clients that are still sending a body hear the answer. Closing
// a connection while bytes of it are unread resets it, and a reset that meets a
// client in the middle of sending takes the answer away from it. The server
// reads some more by itself only where the connection would live on; where the
// client asked for "Connection: close", or was told to continue, it closes at
// once. So the rest is read here.
//
// Beyond the bounds the server closes its own side and waits half a second: who
// reads while sending still gets the answer, but who sends everything first may
// see a reset.
func lingering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r) // HTTP/2 ends one stream and leaves the others alone
			return
		}
		own := *r // the server tells its own request's body by its type
		body := &upload{ReadCloser: r.Body, deadline: http.NewResponseController(w).SetReadDeadline}
		own.Body = body
		next.ServeHTTP(w, &own)
		unasked := r.Header.Get("Expect") != "" && !body.begun // reading would ask for it
		if !unasked {
			body.drain()
		}
		if !body.ended {
			halfClose(w)
		}
	})
}

// upload is a request's body. Only the request's own goroutine reads it.
type upload struct {
	io.ReadCloser
	deadline func(time.Time) error
	begun    bool // something was asked of it
	ended    bool
}

// Read lifts the time limit at the end, beyond which the server reads on to
// notice a client that is gone.
func (u *upload) Read(p []byte) (int, error) {
	u.begun = true
	n, err := u.ReadCloser.Read(p)
	if err == io.EOF {
		u.ended = true
		_ = u.deadline(time.Time{})
	}
	return n, err
}

// Close leaves the rest to drain; the server closes the body after it.
func (u *upload) Close() error { return nil }

// drain reads on to the end, or to the bounds.
func (u *upload) drain() {
	if u.ended {
		return
	}
	_ = u.deadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, u, lingerBytes+1) // one more: the end shows only then
}

// halfClose makes the server send its answer, close its own side, and wait
// before it closes the rest. It does that for bodies above a limit alone, so it
// is shown one.
func halfClose(w http.ResponseWriter) {
	over := http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0)
	_, _ = over.Read(make([]byte, 1))
}
