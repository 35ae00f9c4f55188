package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// statuses maps an error's code to its HTTP status. There is one such map.
var statuses = map[cluster.Code]int{
	cluster.CodeInvalid:     http.StatusUnprocessableEntity,
	cluster.CodeNotFound:    http.StatusNotFound,
	cluster.CodeConflict:    http.StatusConflict,
	cluster.CodeForbidden:   http.StatusForbidden,
	cluster.CodeRemoved:     http.StatusForbidden,
	cluster.CodeUnavailable: http.StatusServiceUnavailable,
	cluster.CodeInternal:    http.StatusInternalServerError,
}

// problem is an error as its document.
type problem struct {
	wire.Problem
	retryAfter int   // seconds; 0: what the status says
	cause      error // what only the log tells; nil when the document says it all
}

func (p *problem) Error() string { return p.Detail }

// GetStatus is asked by the framework.
func (p *problem) GetStatus() int { return p.Status }

// ContentType is asked by the framework.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders is called by the framework. It adds Retry-After where a retry helps,
// and WWW-Authenticate where a credential is needed.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "2")
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// Unauthorized asks for a credential, or for a better one.
func Unauthorized(text string) error {
	status := http.StatusUnauthorized
	return &problem{Problem: wire.Problem{Title: http.StatusText(status), Status: status, Detail: text, Code: string(codeOf(status))}}
}

// TooMany asks to try again after some seconds.
func TooMany(text string, seconds int) error { return tooMany(text, seconds) }

// crowdedFor is how many seconds pass until there may be room for one more.
const crowdedFor = 5

func tooMany(text string, seconds int) *problem {
	return &problem{wire.Problem{
		Title: http.StatusText(http.StatusTooManyRequests), Status: http.StatusTooManyRequests,
		Code: string(cluster.CodeUnavailable), Detail: text,
	}, seconds, nil}
}

// Refuse answers a request with an error's problem document, and logs what that does
// not say.
func Refuse(ctx huma.Context, log *slog.Logger, err error) {
	if errors.Is(err, store.ErrBadToken) || errors.Is(err, store.ErrSessionEnded) {
		err = Unauthorized(err.Error())
	}
	p := problemOf(err)
	p.log(ctx.Context(), log, ctx.Method(), ctx.Operation().Path)
	p.write(ctx)
}

// log tells what the document keeps to itself, unless nobody waits for it any more.
func (p *problem) log(ctx context.Context, log *slog.Logger, method, path string) {
	if p.cause != nil && !errors.Is(p.cause, context.Canceled) {
		log.ErrorContext(ctx, "request failed", "method", method, "path", path, "err", p.cause)
	}
}

// StatusOf is the HTTP status of an error.
func StatusOf(err error) int {
	if errors.Is(err, store.ErrBadToken) || errors.Is(err, store.ErrSessionEnded) {
		return http.StatusUnauthorized
	}
	return problemOf(err).Status
}

func problemOf(err error) *problem {
	var own *problem
	if errors.As(err, &own) {
		return own
	}
	err = disk.ExplainError(err)
	var coded *cluster.Error
	if errors.As(err, &coded) && coded.Crowded {
		return tooMany(err.Error(), crowdedFor)
	}
	code := cluster.CodeOf(err)
	status := statuses[code]
	p := &problem{Problem: wire.Problem{Title: http.StatusText(status), Status: status, Detail: err.Error(), Code: string(code)}}
	switch {
	case code == cluster.CodeInternal:
		p.Detail, p.cause = "something failed in the pacemaker; its log says what", err
	case errors.As(err, &coded) && coded.Field != "":
		p.Errors = []wire.ProblemDetail{{Message: coded.Message, Location: coded.Field}}
	}
	return p
}

// locations say where each parameter of an operation stands: path, query, header.
type locations map[string]string

// locate prefixes each field with its location in the request; fields that are no
// parameters are in the body.
func (p *problem) locate(where locations) {
	for i, e := range p.Errors {
		first := e.Location
		if end := strings.IndexAny(first, ".["); end >= 0 {
			first = first[:end]
		}
		switch at, known := where[first]; {
		case known:
			p.Errors[i].Location = at + "." + e.Location
		case first != "body":
			p.Errors[i].Location = "body." + e.Location
		}
	}
}

// write answers with the document.
func (p *problem) write(ctx huma.Context) {
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p) // the client may be gone
}

// The framework makes its own errors (a field that is missing, a body too
// large) through this function; it is set once, for all of its instances.
func init() {
	huma.ValidateStrictCasing = true // names match exactly: else one body has a key twice
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		p := &problem{Problem: wire.Problem{Title: http.StatusText(status), Status: status, Detail: message, Code: string(codeOf(status))}}
		for _, err := range errs {
			var d huma.ErrorDetailer
			if errors.As(err, &d) {
				e := d.ErrorDetail()
				p.Errors = append(p.Errors, wire.ProblemDetail{Message: e.Message, Location: e.Location})
				continue
			}
			if err != nil {
				p.Errors = append(p.Errors, wire.ProblemDetail{Message: err.Error()})
			}
		}
		if len(p.Errors) > 0 {
			p.Detail = fmt.Sprintf("%s: %s: %s", message, p.Errors[0].Location, p.Errors[0].Message)
		}
		return p
	}
}

func codeOf(status int) cluster.Code {
	switch {
	case status == http.StatusNotFound:
		return cluster.CodeNotFound
	case status == http.StatusConflict:
		return cluster.CodeConflict
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return cluster.CodeForbidden
	case status == http.StatusServiceUnavailable:
		return cluster.CodeUnavailable
	case status < 500:
		return cluster.CodeInvalid
	}
	return cluster.CodeInternal
}
