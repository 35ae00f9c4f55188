package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// settled is how long a connection must have lasted to count as good although
// nothing came on it.
const settled = 5 * time.Second

// stream is one subscription that outlives its connections.
type stream struct {
	c      *Client
	path   string
	query  url.Values
	handle func(event) (done bool, err error)
	// patient streams are tried again also before the first connection.
	patient bool

	lastID string
	cutAt  time.Time // when the trouble began; zero while there is none
	tries  int
}

// errCut says that a connection ended before the stream did.
var errCut = errors.New("the stream was cut")

// run reads until handle is done, the context ends, the server refuses, or a
// cut stream could not be had again within the window.
func (s *stream) run(ctx context.Context) error {
	for {
		done, err := s.connection(ctx)
		switch {
		case done || (err != nil && !passing(err)):
			return err
		case !s.patient && !errors.Is(err, errCut):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("follow %s: %w", s.c.URL(), context.Cause(ctx))
		}
		if err := s.pause(ctx, err); err != nil {
			return err
		}
	}
}

// passing says that the trouble may pass by itself.
func passing(err error) bool {
	return errors.Is(err, errCut) || cluster.CodeOf(err) == cluster.CodeUnavailable
}

// connection follows one connection to its end.
func (s *stream) connection(ctx context.Context) (bool, error) {
	h := http.Header{"Accept": {"text/event-stream, application/problem+json"}}
	if s.lastID != "" {
		h.Set("Last-Event-ID", s.lastID)
	}
	resp, err := s.c.endpoint.send(ctx, call{method: http.MethodGet, path: s.path, query: s.query, header: h})
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	s.patient = true
	since := time.Now()
	events := newEventReader(resp.Body)
	events.lastID = s.lastID // the first events may have none
	for {
		e, err := events.next()
		if errors.Is(err, errEventTooLong) {
			return false, &cluster.Error{Code: cluster.CodeInternal, Message: fmt.Sprintf("%s: %v", s.c.URL(), err), Err: err}
		}
		if err != nil {
			if time.Since(since) > settled {
				s.good()
			}
			return false, fmt.Errorf("%w: %w", errCut, err)
		}
		s.good()
		s.lastID = e.ID
		if done, err := s.handle(e); done || err != nil {
			return true, err
		}
	}
}

// good notes that the stream is alive.
func (s *stream) good() {
	if !s.cutAt.IsZero() {
		s.c.opts.Notice("connected again to " + s.c.URL())
	}
	s.cutAt, s.tries = time.Time{}, 0
}

// pause waits before the next attempt, or gives up.
func (s *stream) pause(ctx context.Context, err error) error {
	if s.cutAt.IsZero() {
		s.cutAt = time.Now()
		s.c.opts.Notice(fmt.Sprintf("the connection to %s is cut (%s); trying again for up to %s", s.c.URL(), short(err), duration.Text(s.c.opts.ReconnectWindow)))
	}
	pause := pauseAfter(s.tries)
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > pause {
		pause = status.RetryAfter
	}
	s.tries++
	if time.Since(s.cutAt)+pause > s.c.opts.ReconnectWindow {
		return &cluster.Error{
			Code: cluster.CodeUnavailable, Err: err,
			Message: fmt.Sprintf("%s is away for more than %s (%s): is aortad running there?", s.c.URL(), duration.Text(s.c.opts.ReconnectWindow), short(err)),
		}
	}
	return wait(ctx, pause)
}

func short(err error) string {
	var status *StatusError
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, errCut) && errors.Is(err, io.EOF):
		return "the server closed it"
	}
	return cause(err)
}

// decode reads an event's JSON.
func decode(c *Client, e event, into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return &cluster.Error{
			Code: cluster.CodeInternal, Err: err,
			Message: fmt.Sprintf("%s sent a broken %q event: is it a cluster of the same version?", c.URL(), e.Name),
		}
	}
	return nil
}
