package rest

import (
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// Reply wraps a body, as the framework wants it.
type Reply[T any] struct{ Body T }

// OK is the reply with v, unless there is an error.
func OK[T any](v T, err error) (*Reply[T], error) {
	if err != nil {
		return nil, err
	}
	return &Reply[T]{Body: v}, nil
}

// None is an answer without a body.
type None struct{}

// Accepted answers for work that has begun.
func Accepted(op cluster.Operation, err error) (*Reply[wire.Accepted], error) {
	return OK(wire.Accepted{Job: string(op.ID)}, err)
}

// Since reads a time, or a duration before now; field names it in the error.
func Since(field, s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	d, err := duration.Parse(s)
	if err != nil || d < 0 {
		return time.Time{}, cluster.Invalid(field, "%.40q is neither a time (2026-01-02T15:04:05Z) nor a duration (2h, 30m)", s)
	}
	return time.Now().Add(-d), nil
}

// Bearer is the token that a request carries, "" without one.
func Bearer(ctx huma.Context) string {
	scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
