package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// heartbeat keeps proxies from closing a quiet stream, and tells the client
// that it still lives.
const heartbeat = 15 * time.Second

// eventStream writes Server-Sent Events.
type eventStream struct {
	w     io.Writer
	flush func()
}

// openStream starts an event stream as the answer. It ends with the request,
// which its guard ends when whoever follows may not any more.
func openStream(ctx huma.Context) *eventStream {
	ctx.SetHeader("Content-Type", "text/event-stream")
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetHeader("X-Accel-Buffering", "no")
	ctx.SetStatus(http.StatusOK)
	s := &eventStream{w: ctx.BodyWriter(), flush: func() {}}
	if f, ok := s.w.(http.Flusher); ok {
		s.flush = f.Flush
	}
	s.flush()
	if g := visitOf(ctx.Context()).guard; g != nil {
		go g.watch(ctx.Context()) // ends with the request
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
	line := ""
	if id != "" {
		line = "id: " + id + "\n"
	}
	_, err = fmt.Fprintf(s.w, "%sevent: %s\ndata: %s\n\n", line, event, data)
	s.flush()
	return err
}

func (s *eventStream) beat() error {
	_, err := io.WriteString(s.w, ": \n\n")
	s.flush()
	return err
}
