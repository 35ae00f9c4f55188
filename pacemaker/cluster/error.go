package cluster

import (
	"errors"
	"fmt"
)

// Code says what kind of error it is. Each code has one HTTP status and one
// exit code of the CLI, mapped where those are spoken.
type Code string

// The codes an error can have. An error without one counts as internal.
const (
	CodeInvalid     Code = "invalid"
	CodeNotFound    Code = "not_found"
	CodeConflict    Code = "conflict"
	CodeForbidden   Code = "forbidden"
	CodeRemoved     Code = "removed" // forbidden to a node that was in the cluster, and is no longer
	CodeUnavailable Code = "unavailable"
	CodeInternal    Code = "internal"
)

// Error is an error meant for a person: the thing, the cause, the next step.
type Error struct {
	Code    Code
	Field   string // path of the field that is wrong, empty when none is
	Message string
	Crowded bool  // unavailable, as the caller has too much of it already
	Err     error // cause, not shown to people; may be nil
}

// Error gives the message alone; the code is for programs.
func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// EndsSession tells whether a pacemaker that answers with the code has ended a node's
// session: it has to say hello anew.
func (c Code) EndsSession() bool {
	return c == CodeConflict || c == CodeForbidden || c == CodeRemoved
}

// RefusesNode tells whether a pacemaker that answers a hello with the code refuses the
// node, as it is.
func (c Code) RefusesNode() bool { return c.EndsSession() || c == CodeNotFound || c == CodeInvalid }

// CodeOf finds the code of an error, however deep it is wrapped.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// Invalid is bad input in the named field.
func Invalid(field, format string, args ...any) error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound is a thing that is not there, or not for this caller.
func NotFound(format string, args ...any) error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

// Conflict is a change that loses against the present state.
func Conflict(format string, args ...any) error {
	return &Error{Code: CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// Forbidden is a caller that may not do this.
func Forbidden(format string, args ...any) error {
	return &Error{Code: CodeForbidden, Message: fmt.Sprintf(format, args...)}
}

// Unavailable is a part that does not answer now and may later.
func Unavailable(format string, args ...any) error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf(format, args...)}
}

// TooMany is one more of what the caller has too many of: it may be had later.
func TooMany(format string, args ...any) error {
	return &Error{Code: CodeUnavailable, Crowded: true, Message: fmt.Sprintf(format, args...)}
}
