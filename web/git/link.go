package git

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// linkTimeout is how long a client may take for the next bytes, either way.
const linkTimeout = 90 * time.Second

// link is the client's side of a conversation. Each read and write has its own
// time limit, so that a push may last for hours but not stand still, and each
// write leaves at once.
type link struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	body    io.Reader
	started bool // something was written; only the writer's goroutine touches it
}

func newLink(w http.ResponseWriter, r *http.Request) *link {
	l := &link{w: w, rc: http.NewResponseController(w), body: r.Body}
	// Git answers while it still reads. HTTP/2 needs no asking, hence no check.
	_ = l.rc.EnableFullDuplex()
	return l
}

// Read reads the request's body. The limit is lifted at its end, where the
// server goes on reading to notice a client that is gone.
func (l *link) Read(p []byte) (int, error) {
	_ = l.rc.SetReadDeadline(time.Now().Add(linkTimeout))
	n, err := l.body.Read(p)
	if errors.Is(err, io.EOF) {
		_ = l.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Write sends p to the client now.
func (l *link) Write(p []byte) (int, error) {
	l.started = true
	_ = l.rc.SetWriteDeadline(time.Now().Add(linkTimeout))
	defer func() { _ = l.rc.SetWriteDeadline(time.Time{}) }()
	n, err := l.w.Write(p)
	if err != nil {
		return n, err
	}
	if err := l.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return n, err
	}
	return n, nil
}

// refuse answers with the error's text, now.
func (l *link) refuse(err error) {
	refuse(l.w, err)
	_ = l.rc.Flush()
}

// refusePreface answers a request that git is not asked about: in git's own
// words where the pusher can read those, since it shows no other text.
func (l *link) refusePreface(asked preface, err error) {
	if !asked.sideBand {
		l.refuse(err)
		return
	}
	header(l.w, "git-receive-pack-result")
	_, _ = l.Write(append(appendPacket(nil, "\x03"+plain(err.Error())+"\n"), flushPacket...))
}
