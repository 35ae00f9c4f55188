package git

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// maxLine is where a line without an end is broken, in bytes.
	maxLine = 4096
	// lineTimeout is how long a pusher may leave a line unread.
	lineTimeout = 60 * time.Second
)

// lineWriter sends whole lines to a hook, each as a frame of its own and at
// once. Several goroutines may write.
type lineWriter struct {
	conn net.Conn

	mu   sync.Mutex // guards part and err, and keeps frames whole
	part []byte     // an unfinished line
	err  error      // the first that happened; nothing is sent after it
}

func newLineWriter(conn net.Conn) *lineWriter { return &lineWriter{conn: conn} }

// Write sends the lines that p completes.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = append(w.part, p...)
	for w.err == nil {
		line, rest, ok := cutLine(w.part)
		if !ok {
			return len(p), nil
		}
		w.send(frame{Line: plain(string(line))})
		w.part = append(w.part[:0], rest...)
	}
	return 0, w.err
}

func cutLine(b []byte) (line, rest []byte, ok bool) {
	if line, rest, ok = bytes.Cut(b, []byte("\n")); ok && len(line) <= maxLine {
		return line, rest, true
	}
	if len(b) > maxLine {
		return b[:maxLine], b[maxLine:], true
	}
	return nil, b, false
}

// finish sends what is left of a line, and the results.
func (w *lineWriter) finish(results []result) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.part) > 0 {
		w.send(frame{Line: plain(string(w.part))})
		w.part = nil
	}
	w.send(frame{Results: results})
	return w.err
}

func (w *lineWriter) send(f frame) {
	if w.err != nil {
		return
	}
	b, err := json.Marshal(f)
	if err == nil {
		_ = w.conn.SetWriteDeadline(time.Now().Add(lineTimeout))
		_, err = w.conn.Write(append(b, '\n'))
	}
	if err != nil {
		w.err = fmt.Errorf("write to the pusher: %w", err)
	}
}
