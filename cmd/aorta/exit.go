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
)

// exitCodes is the one map from code to exit code.
var exitCodes = map[cluster.Code]int{
	cluster.CodeInvalid:     exitUsage,
	cluster.CodeForbidden:   exitNotAllowed,
	cluster.CodeNotFound:    exitNotFound,
	cluster.CodeConflict:    exitConflict,
	cluster.CodeUnavailable: exitUnreachable,
	cluster.CodeInternal:    exitFailed,
}

// usageError is a command line that can't be meant.
type usageError struct{ err error }

// Error is the cause's words.
func (e usageError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errTold ends a command that has already said why it failed.
var errTold = errors.New("told")

// report says what went wrong and gives the exit code.
func (s *session) report(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errTold) {
		return exitFailed
	}
	if errors.Is(err, context.Canceled) {
		s.err.line("interrupted")
		return exitFailed
	}
	s.err.line("%s %s", s.err.paint(bad, "error:"), cleanBlock(err.Error()))
	if hint := s.hint(err); hint != "" {
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

// hint is the next step that only this side can know.
func (s *session) hint(err error) string {
	var status *client.StatusError
	switch {
	case !s.started:
		return "see: aorta help"
	case errors.As(err, &status):
		if status.Status == 401 {
			return fmt.Sprintf("the token comes from %s; log in with: aorta login %s --token -", s.door.tokenFrom, s.door.url)
		}
	case cluster.CodeOf(err) == cluster.CodeUnavailable && s.door.url != "":
		return fmt.Sprintf("the address comes from %s; the known ones: aorta contexts", s.door.urlFrom)
	}
	return ""
}
