package live

import (
	"context"
	"errors"
	"sync"

	"aorta/pacemaker/cluster"
	"aorta/web/auth"
)

const (
	maxStreams = 500
	maxOfOne   = 200 // of one reader's: a script must not shut the others out
)

// seats bound how many streams of one kind are open: each holds a connection and
// memory for as long as its reader likes. Once all are taken, who has the most gives
// one up for a reader who has less: a few readers don't shut the others out.
type seats struct {
	all, each int

	mu   sync.Mutex         // guards held
	held map[string][]*seat // by reader, the oldest first
}

// seat is one stream's; end ends the stream.
type seat struct{ end context.CancelCauseFunc }

// errMadeRoom ends a stream in favour of a reader who has less.
var errMadeRoom = errors.New("this stream has made room for another reader's")

func newSeats() *seats { return &seats{all: maxStreams, each: maxOfOne, held: map[string][]*seat{}} }

// take opens a stream of the reader who asks in ctx; it has to end with the context
// that is given. Call leave at its end.
func (s *seats) take(ctx context.Context) (stream context.Context, leave func(), err error) {
	return s.takeFor(ctx, auth.User(ctx).ID)
}

func (s *seats) takeFor(ctx context.Context, reader string) (stream context.Context, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := 0
	for _, own := range s.held {
		sum += len(own)
	}
	if len(s.held[reader]) >= s.each || sum >= s.all && !s.makeRoom(reader) {
		return nil, nil, cluster.Unavailable("too many live streams are open, of you %d of %d and %d of %d in all: close pages and followers that are not needed, and try again",
			len(s.held[reader]), s.each, sum, s.all)
	}
	stream, end := context.WithCancelCause(ctx)
	own := &seat{end}
	s.held[reader] = append(s.held[reader], own)
	return stream, func() {
		end(nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.remove(reader, own)
	}, nil
}

// makeRoom ends the oldest stream of who has the most, unless that would leave them
// less than the reader has then.
func (s *seats) makeRoom(reader string) bool {
	most := ""
	for who, own := range s.held {
		if len(own) > len(s.held[most]) {
			most = who
		}
	}
	if len(s.held[most]) <= len(s.held[reader])+1 {
		return false
	}
	oldest := s.held[most][0]
	oldest.end(errMadeRoom)
	s.remove(most, oldest)
	return true
}

func (s *seats) remove(reader string, one *seat) {
	own := s.held[reader]
	for i, other := range own {
		if other == one {
			own = append(own[:i], own[i+1:]...)
			break
		}
	}
	if s.held[reader] = own; len(own) == 0 {
		delete(s.held, reader)
	}
}
