package live

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/web/auth"
)

// heartbeat keeps proxies from closing a quiet stream, and tells the client
// that it still lives.
const heartbeat = 15 * time.Second

// writeLimit is how long a reader may take nothing before its stream ends.
const writeLimit = 20 * time.Second

// eventStream writes Server-Sent Events.
type eventStream struct {
	w     io.Writer
	bound func() error // bounds the next write
	flush func() error
}

// openStream starts an event stream as the answer. It ends with the request,
// which its guard ends when the reader loses the right to it.
func openStream(ctx huma.Context) *eventStream {
	ctx.SetHeader("Content-Type", "text/event-stream")
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetHeader("X-Accel-Buffering", "no")
	ctx.SetStatus(http.StatusOK)
	s := newEventStream(ctx.BodyWriter(), writeLimit)
	_ = s.flush() // a reader that is gone is noticed by the first event
	auth.Watch(ctx.Context())
	return s
}

// newEventStream writes to a reader that must take what is written within the
// limit: one that takes nothing would hold its request for ever.
func newEventStream(w io.Writer, limit time.Duration) *eventStream {
	s := &eventStream{w: w, bound: func() error { return nil }, flush: func() error { return nil }}
	if rw, ok := w.(http.ResponseWriter); ok {
		c := http.NewResponseController(rw)
		s.bound = func() error { return c.SetWriteDeadline(time.Now().Add(limit)) }
		s.flush = c.Flush
	}
	return s
}

// send writes one event. Without an id, a client that comes back goes on from
// the event before.
func (s *eventStream) send(event, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	return s.put(event, id, data)
}

// put writes one event whose data is JSON already.
func (s *eventStream) put(event, id string, data []byte) error {
	return s.write(eventHead(event, id), data, eventEnd)
}

// eventHead is the text of an event before its data.
func eventHead(event, id string) []byte {
	line := ""
	if id != "" {
		line = "id: " + id + "\n"
	}
	return fmt.Appendf(nil, "%sevent: %s\ndata: ", line, event)
}

var eventEnd = []byte("\n\n")

func (s *eventStream) beat() error { return s.write([]byte(": \n\n")) }

// write writes texts as they are: what a reader is slow to take is shared with the
// other readers, and not copied for it.
func (s *eventStream) write(texts ...[]byte) error {
	inTime := 0 // how much may be written until the next bound
	for _, text := range texts {
		if inTime <= 0 {
			_ = s.bound() // what can't be bounded is written all the same
			inTime = 4 << 10
		}
		if _, err := s.w.Write(text); err != nil {
			return err
		}
		inTime -= len(text)
	}
	return s.flush()
}
