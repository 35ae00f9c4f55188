package storm

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

const (
	hosts  = 4
	slots  = 3
	storms = 2000
)

func TestRound_IsThatOfItsSeed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		first, again := Round(seed, 1, slots, hosts), Round(seed, 1, slots, hosts)

		if !reflect.DeepEqual(first, again) {
			t.Errorf("seed %d: got %v, then %v", seed, first, again)
		}
		if reflect.DeepEqual(first, Round(seed, 2, slots, hosts)) || reflect.DeepEqual(first, Round(seed+1, 1, slots, hosts)) {
			t.Errorf("seed %d: got the same of another round or seed", seed)
		}
	}
}

// Never are two hosts lost at a time, and what happens has its end before the round has.
func TestRound_BreaksNoRule(t *testing.T) {
	t.Parallel()
	seen := map[Kind]int{}
	for seed := range uint64(storms) {
		round := Round(seed, 0, slots, hosts)
		for i, f := range round {
			seen[f.Kind]++
			lasts := f.Large() || slices.Contains(lasting, f.Kind)
			if f.Begin < 0 || lasts != (f.End > 0) || f.End > slots*Slot || lasts && f.End <= f.Begin || f.Host < 0 || f.Host >= hosts {
				t.Errorf("seed %d: got %+v, want it within the round", seed, f)
			}
			if f.Kind == PairCut && f.Other == f.Host {
				t.Errorf("seed %d: got a host cut from itself: %s", seed, f)
			}
			for _, other := range round[:i] {
				checkPair(t, seed, other, f)
			}
		}
	}
	for _, k := range slices.Concat(large, small, asked) {
		if seen[k] < storms/50 {
			t.Errorf("got %d of %q in %d rounds, want more", seen[k], k, storms)
		}
	}
}

// checkPair wants the later of two faults to be possible beside the earlier one.
func checkPair(t *testing.T, seed uint64, earlier, f Fault) {
	t.Helper()
	switch over := earlier.End < f.Begin; {
	case f.Large() && earlier.Large() && !over:
		t.Errorf("seed %d: got two lost hosts: %s, %s", seed, earlier, f)
	case earlier.Large() && !over && slices.Contains(small, f.Kind) && earlier.takes(f.Host):
		t.Errorf("seed %d: got a part of a lost host: %s, %s", seed, earlier, f)
	case earlier.Large() && !over && earlier.takes(0) && f.Kind == DaemonKilled:
		t.Errorf("seed %d: got a daemon that can't get ready: %s, %s", seed, earlier, f)
	case f.Large() && f.Begin < earlier.End && slices.Contains(small, earlier.Kind):
		t.Errorf("seed %d: got a part that is still away: %s, %s", seed, earlier, f)
	case f.Kind == Drain && earlier.Kind == Drain:
		t.Errorf("seed %d: got two drains: %s, %s", seed, earlier, f)
	}
}

func TestEvents_AreInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(storms) {
		at, open := time.Duration(0), 0
		for _, e := range Events(Round(seed, 0, slots, hosts)) {
			if e.At < at {
				t.Fatalf("seed %d: got %s after %s", seed, e, at)
			}
			at = e.At
			switch {
			case e.End:
				open--
			case e.Fault.End > 0:
				open++
			}
		}
		if open != 0 {
			t.Errorf("seed %d: got %d faults without their end", seed, open)
		}
	}
}

func TestFault_IsSaidForPeople(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]Fault{
		" 1.5 s: cut the pair n2 n4 loud for 8 s": {Kind: PairCut, Host: 1, Other: 3, Loud: true, Begin: 1500 * time.Millisecond, End: 9500 * time.Millisecond},
		"20.0 s: kill Redis n1 jobs":              {Kind: RedisKilled, Redis: "jobs", Begin: 20 * time.Second},
		"21.0 s: scale web=5":                     {Kind: Scale, Count: 5, Begin: 21 * time.Second},
		" 3.0 s: drain n3 for 10 s":               {Kind: Drain, Host: 2, Begin: 3 * time.Second, End: 13 * time.Second},
		" 0.0 s: deploy":                          {Kind: Deploy},
	} {
		if got := f.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
