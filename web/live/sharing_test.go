package live

import (
	"context"
	"errors"
	"testing"
)

// Readers who take all they can get leave each other, and who comes later, a fair share.
func TestSeats_AreNotTakenFromOthersByAFew(t *testing.T) {
	t.Parallel()
	s := &seats{all: 6, each: 4, held: map[string][]*seat{}}
	open := map[string][]context.Context{}
	take := func(reader string) bool {
		stream, leave, err := s.takeFor(t.Context(), reader)
		if err != nil {
			return false
		}
		t.Cleanup(leave)
		open[reader] = append(open[reader], stream)
		return true
	}
	for range 9 {
		take("ann")
		take("bob")
	}

	first, second, third := take("eve"), take("eve"), take("eve")
	again := take("ann")

	if !first || !second || third || again {
		t.Errorf("got %t, %t, %t for who comes later and %t for who has as many, want two and no more", first, second, third, again)
	}
	for reader, streams := range open {
		alive := 0
		for i, stream := range streams {
			if stream.Err() == nil {
				alive++
			} else if !errors.Is(context.Cause(stream), errMadeRoom) || i > len(streams)-2 {
				t.Errorf("%s: got stream %d of %d ended with %v, want the oldest first", reader, i, len(streams), context.Cause(stream))
			}
		}
		if alive != 2 {
			t.Errorf("%s: got %d streams, want two", reader, alive)
		}
	}
}
