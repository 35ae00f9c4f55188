package live

import (
	"context"

	"aorta/internal/quota"
	"aorta/pacemaker/cluster"
	"aorta/web/auth"
)

const (
	maxStreams = 500
	maxOfOne   = 200 // of one reader's: a script must not shut the others out
)

// seats bound how many streams of one kind are open: each holds a connection and
// memory for as long as its reader likes.
type seats struct{ *quota.Quota }

func newSeats() seats { return seats{quota.New(maxStreams, maxOfOne)} }

// take opens a stream of the reader who asks in ctx. Call leave at its end.
func (s seats) take(ctx context.Context) (leave func(), err error) {
	reader := auth.User(ctx).ID
	leave, ok := s.Take(reader)
	if ok {
		return leave, nil
	}
	held, sum := s.Held(), 0
	for _, n := range held {
		sum += n
	}
	return nil, cluster.Unavailable("too many live streams are open, of you %d of %d and %d of %d in all: close pages and followers that are not needed, and try again",
		held[reader], maxOfOne, sum, maxStreams)
}
