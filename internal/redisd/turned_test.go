package redisd

import (
	"testing"
	"time"
)

func TestTurned_TellsOfTheRestWhenNobodyCameSince(t *testing.T) {
	t.Parallel()
	var away turned
	now := time.Now()
	if !away.add([]caller{{addr: "10.0.0.2:1"}}, now) {
		t.Error("the first: got that it is not due, want that it is told at once")
	}
	away.reset(now)
	if away.add([]caller{{addr: "10.0.0.3:1"}, {addr: "10.0.0.3:2"}}, now.Add(time.Second)) {
		t.Error("two more a second later: got that they are due, want them told with those of the minute")
	}
	later := now.Add(callersTold + time.Second)

	due := away.add(nil, later)

	if !due || away.count != 2 || away.last != "10.0.0.3:2" {
		t.Errorf("a minute later, with nobody new: got due %t, %d of them, one from %q; want the two that were not told", due, away.count, away.last)
	}
	away.reset(later)
	if away.add(nil, later.Add(2*callersTold)) {
		t.Error("after all were told: got that some are due, want none")
	}
}
