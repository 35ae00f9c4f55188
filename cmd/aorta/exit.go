package main

import (
	"context"
	"errors"
	"fmt"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotAllowed  = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitUnreachable = 6
	exitChanges     = 10 // of plan: something would change
)

// exitCodes maps error codes to exit codes.
var exitCodes = map[cluster.Code]int{
	cluster.CodeInvalid:     exitUsage,
	cluster.CodeForbidden:   exitNotAllowed,
	cluster.CodeRemoved:     exitNotAllowed,
	cluster.CodeNotFound:    exitNotFound,
	cluster.CodeConflict:    exitConflict,
	cluster.CodeUnavailable: exitUnreachable,
	cluster.CodeInternal:    exitFailed,
}

// usageError is an error in the command line.
type usageError struct{ err error }

// Error is the cause's text.
func (e usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errReported ends a command that has already printed why it failed.
var errReported = errors.New("already reported")

// errChanges ends a plan by which something would change.
var errChanges = errors.New("something would change")

// report prints the error and returns the exit code.
func (s *session) report(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errReported) {
		return exitFailed
	}
	if errors.Is(err, errChanges) {
		return exitChanges
	}
	if errors.Is(err, context.Canceled) {
		s.err.line("interrupted")
		return exitFailed
	}
	s.err.line("%s %s", s.err.paint(bad, "error:"), cleanBlock(err.Error()))
	for _, hint := range s.hints(err) {
		s.err.line("  %s", hint)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	if code, ok := exitCodes[cluster.CodeOf(err)]; ok {
		return code
	}
	return exitFailed
}

// hints are next steps that depend on how this command was called.
func (s *session) hints(err error) []string {
	var status *client.StatusError
	switch {
	case !s.started && s.command != nil:
		return usageOf(s.command)
	case errors.As(err, &status):
		if status.Status == 401 {
			return []string{fmt.Sprintf("the token is from %s; log in again: aorta login %s --token -", s.endpoint.tokenFrom, s.endpoint.url)}
		}
	case cluster.CodeOf(err) == cluster.CodeUnavailable && s.endpoint.url != "":
		return []string{fmt.Sprintf("the address is from %s; list the known clusters: aorta contexts", s.endpoint.urlFrom)}
	}
	return nil
}
