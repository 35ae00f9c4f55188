package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"aorta/internal/backoff"
	"aorta/internal/duration"
)

// The limits used where Options names none.
const (
	DefaultRetryWindow     = 10 * time.Second
	DefaultReconnectWindow = 60 * time.Second
	callTimeout            = 30 * time.Second
)

const idempotencyKey = "Idempotency-Key"

// Options of a Client. The zero value is usable.
type Options struct {
	UserAgent string // "aorta" by default
	// RetryWindow bounds how long a write is tried again after it was refused
	// or cut before its answer, and any call after a 503 with Retry-After.
	// Negative: not at all.
	RetryWindow time.Duration
	// ReconnectWindow bounds how long a cut stream is tried again.
	ReconnectWindow time.Duration
	// Notice, if set, is called with a text for each retry.
	Notice func(string)
}

// Client speaks the REST API of one cluster as one caller. It may be used by
// many goroutines. Close it when done.
type Client struct {
	endpoint *endpoint
	opts     Options
	closer   func()
}

// New makes a client of the API at baseURL (scheme, host and perhaps a path,
// without /api/v1). It connects to nothing yet; a bad address or token is
// invalid.
func New(baseURL, token string, o Options) (*Client, error) {
	if o.UserAgent == "" {
		o.UserAgent = "aorta"
	}
	if o.RetryWindow == 0 {
		o.RetryWindow = DefaultRetryWindow
	}
	if o.ReconnectWindow == 0 {
		o.ReconnectWindow = DefaultReconnectWindow
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	transport := newTransport(http.ProxyFromEnvironment)
	d, err := newEndpoint(baseURL, token, o.UserAgent, &http.Client{Transport: transport, CheckRedirect: noRedirects})
	if err != nil {
		return nil, err
	}
	return &Client{endpoint: d, opts: o, closer: transport.CloseIdleConnections}, nil
}

// Close drops the idle connections.
func (c *Client) Close() { c.closer() }

// URL is the cluster's address, without a trailing slash.
func (c *Client) URL() string { return c.endpoint.base.String() }

// nothing is what an answer without a body is read into.
type nothing struct{}

func get[T any](ctx context.Context, c *Client, query url.Values, segments ...string) (T, error) {
	var none T
	p, err := path(segments...)
	if err != nil {
		return none, err
	}
	return do[T](ctx, c, call{method: http.MethodGet, path: p, query: query, limit: callTimeout})
}

// write says something under a key that makes a second attempt harmless: the
// server answers it with the outcome of the first.
func write[T any](ctx context.Context, c *Client, in input, segments ...string) (T, error) {
	in.limit = callTimeout
	w, err := in.call(segments)
	if err != nil {
		var none T
		return none, err
	}
	w.header.Set(idempotencyKey, uuid.NewString())
	return do[T](ctx, c, w)
}

func idempotent() http.Header {
	h := http.Header{}
	h.Set(idempotencyKey, uuid.NewString())
	return h
}

// do exchanges, again and again where that is safe and the window lasts.
func do[T any](ctx context.Context, c *Client, w call) (T, error) {
	deadline := time.Now().Add(c.opts.RetryWindow)
	for attempt := 0; ; attempt++ {
		answer, err := exchange[T](ctx, c.endpoint, w)
		pause, again := pauseBefore(w, err, attempt)
		if !again || time.Now().Add(pause).After(deadline) {
			return answer, err
		}
		if attempt == 0 {
			c.opts.Notice(fmt.Sprintf("%v; trying again for %s", err, duration.Text(c.opts.RetryWindow)))
		}
		if wait(ctx, pause) != nil {
			return answer, err
		}
	}
}

// pauseBefore says whether the call may be made again, and how long to wait
// first. A read that can't connect fails at once: its caller can retry.
func pauseBefore(w call, err error, attempt int) (time.Duration, bool) {
	var status *StatusError
	switch {
	case err == nil:
		return 0, false
	case errors.As(err, &status):
		return status.RetryAfter, status.Status == http.StatusServiceUnavailable && status.RetryAfter >= 0
	case w.method == http.MethodGet:
		return 0, false
	}
	return pauseAfter(attempt), unanswered(err)
}

// pauseAfter is the pause after a number of attempts that failed.
func pauseAfter(attempts int) time.Duration {
	return backoff.After(attempts, 100*time.Millisecond, 2*time.Second)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
