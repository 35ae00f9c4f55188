package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aorta/internal/backoff"
	"aorta/pacemaker/cluster"
)

// Renewals that failed are made again, ever less often.
const (
	firstRenewal = time.Second
	lastRenewal  = time.Minute
)

// renewal gets a node another certificate when the one that it has is refused: it may
// have expired, by its own clock or by the pacemaker's.
type renewal struct {
	mu       sync.Mutex // guards the rest
	by       func(context.Context) error
	failures int
	again    time.Time // not before then
	why      error     // of the last failure
}

// RenewBy says how the node gets another certificate, when the one that it has is
// refused.
func (n *Node) RenewBy(renewal func(context.Context) error) {
	n.renewal.mu.Lock()
	defer n.renewal.mu.Unlock()
	n.renewal.by = renewal
}

// afterRefusal has a call made once more by another certificate, after it was refused.
// There may be one since the call began: has says so. Unless the renewal is refused too,
// the node is none that is refused, but one that finds no pacemaker for now: what it does
// goes on.
func (r *renewal) afterRefusal(ctx context.Context, refusal error, has func() bool, call func() error) error {
	if err := r.renew(ctx, refusal, has); err != nil {
		return err
	}
	err := call()
	r.mu.Lock()
	defer r.mu.Unlock()
	if unauthorized(err) {
		return r.fails(err, cluster.Unavailable("a new one is refused too"))
	}
	r.failures, r.again = 0, time.Time{}
	return err
}

// renew gets a certificate, unless that failed just now.
func (r *renewal) renew(ctx context.Context, refusal error, has func() bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case has():
		return nil
	case r.by == nil:
		return refusal
	case time.Now().Before(r.again):
		return unrenewed(refusal, r.why)
	}
	if err := r.by(ctx); err != nil {
		return r.fails(refusal, err)
	}
	return nil
}

// fails notes a failure; mu is held.
func (r *renewal) fails(refusal, why error) error {
	r.why, r.again = why, time.Now().Add(backoff.After(r.failures, firstRenewal, lastRenewal))
	r.failures++
	return unrenewed(refusal, why)
}

// unrenewed is why a call failed that was refused, by why no other certificate was to be
// had.
func unrenewed(refusal, why error) error {
	if code := cluster.CodeOf(why); code == cluster.CodeForbidden || code == cluster.CodeRemoved {
		return why
	}
	return &cluster.Error{Code: cluster.CodeUnavailable, Message: fmt.Sprintf("%v; it could not be renewed, which is tried again: %v", refusal, why)}
}
