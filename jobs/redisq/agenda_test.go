package redisq

import (
	"slices"
	"testing"
	"time"
)

func TestAgenda_GivesWhatIsDueInOrder(t *testing.T) {
	zero := time.Unix(1_000_000, 0)
	at := func(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }
	a := newAgenda()
	a.put("late", at(30))
	a.put("moved", at(1))
	a.put("moved", at(20))
	a.put("first", at(10))
	a.put("dropped", at(5))
	a.drop("dropped")

	next, ok := a.next()
	none := a.popDue(at(9))
	two := a.popDue(at(20))
	last := a.popDue(at(1000))
	_, more := a.next()

	if !ok || !next.Equal(at(10)) {
		t.Errorf("next: got %v (%v), want %v", next, ok, at(10))
	}
	if len(none) != 0 || !slices.Equal(two, []string{"first", "moved"}) || !slices.Equal(last, []string{"late"}) || more {
		t.Errorf("got %v, %v, %v, more %v; want none, first and moved, late, no more", none, two, last, more)
	}
}
