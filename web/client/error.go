package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// StatusError is the cause inside a *cluster.Error that came as an HTTP answer.
type StatusError struct {
	Status int // of the answer, such as 404
	// RetryAfter is what the answer asked to wait; negative when it said nothing.
	RetryAfter time.Duration
}

// Error names the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP status %d %s", e.Status, http.StatusText(e.Status))
}

// noAnswer is the cause of a call's own time-out.
type noAnswer time.Duration

func (e noAnswer) Error() string { return "no answer in " + time.Duration(e).String() }

// failure turns an error of the transport into ours.
func (d *endpoint) failure(ctx context.Context, body *watchedBody, err error) error {
	var slow noAnswer
	switch {
	case errors.As(context.Cause(ctx), &slow):
		err = slow
	case ctx.Err() != nil:
		return fmt.Errorf("ask %s: %w", d.base, context.Cause(ctx))
	case body.err() != nil:
		return fmt.Errorf("read what was to be sent: %w", body.err())
	}
	return &cluster.Error{
		Code: cluster.CodeUnavailable, Err: err,
		Message: fmt.Sprintf("can't reach %s (%s): is aortad running there?", d.base, cause(err)),
	}
}

// cause says in few words why a connection failed.
func cause(err error) string {
	var dns *net.DNSError
	var slow noAnswer
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return "the connection broke before the answer"
	case errors.As(err, &dns):
		return "no address is known for " + dns.Name
	case errors.As(err, &slow):
		return slow.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// unanswered says that no answer came and that the same call may be made again
// under its idempotency key: refused, or cut before the answer.
func unanswered(err error) bool {
	for _, e := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// statusCodes is the one map from HTTP status to code, for answers that carry
// no code of their own.
var statusCodes = map[int]cluster.Code{
	http.StatusBadRequest:            cluster.CodeInvalid,
	http.StatusRequestEntityTooLarge: cluster.CodeInvalid,
	http.StatusUnsupportedMediaType:  cluster.CodeInvalid,
	http.StatusUnprocessableEntity:   cluster.CodeInvalid,
	http.StatusUnauthorized:          cluster.CodeForbidden,
	http.StatusForbidden:             cluster.CodeForbidden,
	http.StatusNotFound:              cluster.CodeNotFound,
	http.StatusGone:                  cluster.CodeNotFound,
	http.StatusConflict:              cluster.CodeConflict,
	http.StatusPreconditionFailed:    cluster.CodeConflict,
	http.StatusTooManyRequests:       cluster.CodeUnavailable,
	http.StatusBadGateway:            cluster.CodeUnavailable,
	http.StatusServiceUnavailable:    cluster.CodeUnavailable,
	http.StatusGatewayTimeout:        cluster.CodeUnavailable,
}

// refusal reads an answer that is not 2xx.
func (d *endpoint) refusal(resp *http.Response) error {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	status := &StatusError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	e := &cluster.Error{Code: codeOf(resp.StatusCode, ""), Err: status}
	var p wire.Problem
	switch err := json.Unmarshal(raw, &p); {
	case err == nil && (p.Detail != "" || p.Title != "" || len(p.Errors) > 0):
		e.Code = codeOf(resp.StatusCode, p.Code)
		e.Message = problemText(p)
	case resp.Header.Get("Location") != "":
		e.Message = fmt.Sprintf("%s sends on to %s: use that address", d.base, resp.Header.Get("Location"))
	default:
		e.Message = fmt.Sprintf("%s answered %s, not in the words of this API: is it the address of a cluster?", d.base, resp.Status)
	}
	return e
}

func codeOf(status int, said string) cluster.Code {
	switch c := cluster.Code(said); c {
	case cluster.CodeInvalid, cluster.CodeNotFound, cluster.CodeConflict,
		cluster.CodeForbidden, cluster.CodeRemoved, cluster.CodeUnavailable, cluster.CodeInternal:
		return c
	}
	if c, ok := statusCodes[status]; ok {
		return c
	}
	if status < 500 {
		return cluster.CodeInvalid
	}
	return cluster.CodeInternal
}

// problemText joins a problem's detail with those of its fields that the detail
// does not already say.
func problemText(p wire.Problem) string {
	said := p.Detail
	if said == "" {
		said = p.Title
	}
	var parts []string
	for _, f := range p.Errors {
		if f.Message == "" || strings.Contains(said, f.Message) {
			continue
		}
		if where := strings.TrimPrefix(f.Location, "body."); where != "" {
			f.Message = where + ": " + f.Message
		}
		parts = append(parts, f.Message)
	}
	if len(parts) > 0 {
		said = strings.TrimPrefix(said+": "+strings.Join(parts, "; "), ": ")
	}
	return said
}

func retryAfter(header string) time.Duration {
	n, err := strconv.Atoi(header)
	if err != nil || n < 0 || n > 86400 {
		return -1
	}
	return time.Duration(n) * time.Second
}
