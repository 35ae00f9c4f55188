package testkit

import (
	"slices"
	"testing"
)

// joined are tests that wait in a line, in the order in which they came.
type joined []<-chan struct{}

// begun are the places of those that were called.
func (j joined) begun() (places []int) {
	for i, begin := range j {
		select {
		case <-begin:
			places = append(places, i)
		default:
		}
	}
	return places
}

func (j joined) want(t *testing.T, when string, places ...int) {
	t.Helper()
	if got := j.begun(); !slices.Equal(got, places) {
		t.Fatalf("%s: got %v at work or done, want %v", when, got, places)
	}
}

func nothing() {}

func TestLine_CallsTheLongestFirst(t *testing.T) {
	s := newSlots(1, Order{"TestLong", "TestLonger"})
	var tests joined
	for _, name := range []string{"TestFirst", "TestShort", "TestLonger", "TestLong/part", "TestLast"} {
		tests = append(tests, s.line.Join(name))
	}

	tests.want(t, "at first", 0)
	s.line.Leave(nothing)
	tests.want(t, "after the first", 0, 3)
	s.line.Leave(nothing)
	tests.want(t, "after a part of the first of the order", 0, 2, 3)
	s.line.Leave(nothing)
	tests.want(t, "after all of the order", 0, 1, 2, 3)
}

// What is lent comes back: only so many more than there are places are at work.
func TestLine_LendsSoMany(t *testing.T) {
	l := NewLine(1, 2, Order{}.of)
	l.Lend() // to nobody
	var tests joined
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		tests = append(tests, l.Join(name))
	}

	tests.want(t, "at first", 0)
	l.Lend()
	l.Lend()
	l.Lend()
	tests.want(t, "with two places lent", 0, 1, 2)
	l.Leave(nothing)
	l.Leave(nothing)
	tests.want(t, "when those are given back", 0, 1, 2)
	l.Leave(nothing)
	tests.want(t, "when the place is given back", 0, 1, 2, 3)
	l.Lend()
	tests.want(t, "when one is lent again", 0, 1, 2, 3, 4)
}

func TestLine_PassesOverWhatMayNotBegin(t *testing.T) {
	shut := true
	l := NewLine(1, 1, func(waiting []string) int {
		return slices.IndexFunc(waiting, func(test string) bool { return !shut || test != "shut" })
	})
	tests := joined{l.Join("shut")}

	l.Lend()
	tests.want(t, "while it may not")
	tests = append(tests, l.Join("open"))
	tests.want(t, "with another one behind it", 1)
	l.Leave(func() { shut = false })
	tests.want(t, "once it may", 0, 1)
}
