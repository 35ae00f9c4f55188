package main

import (
	"context"
	"time"

	"aorta/router/stats"
)

const (
	// answersTimeout bounds how long those wait for the statistics who can say
	// most without.
	answersTimeout = 500 * time.Millisecond
	latelyEvery    = 900 * time.Millisecond // more often, and who asks gets the same again
	latelyRetry    = 2 * time.Second        // after a failure
)

// lately keeps what apps did of late for about a second, for all who ask.
type lately struct {
	turn   chan struct{} // holds one while somebody has all below
	recent *stats.Recent
	found  map[string]stats.Recently
	err    error
	next   time.Time // when it is read next
}

func newLately(s *stats.Store) *lately {
	return &lately{turn: make(chan struct{}, 1), recent: s.Recent()}
}

// read gives what nobody may change.
func (l *lately) read(ctx context.Context, now time.Time) (map[string]stats.Recently, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now.Before(l.next) {
		return l.found, l.err
	}
	l.found, l.err = l.recent.Read(ctx, now)
	l.next = now.Add(latelyEvery)
	if l.err != nil {
		l.next = now.Add(latelyRetry)
	}
	return l.found, l.err
}
