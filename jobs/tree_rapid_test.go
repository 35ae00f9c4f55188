package jobs

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// simulation drives a tree as a keeper with unlucky workers would, and checks
// after every step what must never happen.
type simulation struct {
	tree   *Tree
	now    time.Time
	next   int
	leases map[string]string // job → live lease
	before map[string]State
}

func drawSpec(t *rapid.T, s *simulation, depth int) Spec {
	s.next++
	out := leaf(fmt.Sprint("j", s.next))
	out.Priority = rapid.IntRange(High, Low).Draw(t, "priority")
	if depth == 0 {
		return out
	}
	for range rapid.IntRange(0, 3).Draw(t, "children") {
		out.Children = append(out.Children, drawSpec(t, s, depth-1))
	}
	if rapid.IntRange(0, 5).Draw(t, "cleanup") == 0 {
		s.next++
		out.Children = append(out.Children, cleanup(fmt.Sprint("j", s.next)))
	}
	return out
}

func TestTree_NeverBreaksItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &simulation{now: epoch, leases: map[string]string{}}
		tree, err := New(drawSpec(t, s, 3), "op", s.now)
		if err != nil {
			t.Fatalf("New: %v", err)
		}
		s.tree = tree
		s.check(t)

		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			s.step(t)
			s.check(t)
		}
		s.runOut(t)

		if !tree.State.Ended() || tree.openAll != 0 || tree.openMain != 0 {
			t.Fatalf("tree: got %s with %d open jobs, want an end with 0", tree.State, tree.openAll)
		}
	})
}

// step does one of the things that can happen.
func (s *simulation) step(t *rapid.T) {
	s.now = s.now.Add(time.Second)
	switch rapid.IntRange(0, 10).Draw(t, "what") {
	case 0, 1, 2:
		s.lend()
	case 3:
		if id := s.drawLeased(t); id != "" {
			_ = s.tree.Start(id, "w", s.now)
		}
	case 4, 5, 6:
		if id := s.drawLeased(t); id != "" {
			s.end(t, id)
		}
	case 7:
		if id := s.drawLeased(t); id != "" {
			_ = s.tree.Lose(id, s.policy(t), s.now)
		}
	case 8:
		s.graft(t)
	case 9:
		if rapid.IntRange(0, 9).Draw(t, "abort") == 0 {
			_ = s.tree.Abort("by hand", s.now)
		}
	case 10:
		s.supersede(t)
	}
}

func (s *simulation) policy(t *rapid.T) Policy {
	return Policy{
		MaxAttempts: rapid.IntRange(0, 4).Draw(t, "attempts"), BackoffBase: time.Second,
		AtMostOnce: rapid.IntRange(0, 9).Draw(t, "once") == 0,
	}
}

func (s *simulation) lend() {
	for _, id := range s.tree.Ready(s.now) {
		s.next++
		_ = s.tree.Lend(id, fmt.Sprint("l", s.next))
	}
}

func (s *simulation) drawLeased(t *rapid.T) string {
	if len(s.leases) == 0 {
		return ""
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(s.leases))).Draw(t, "job")
}

func (s *simulation) end(t *rapid.T, id string) {
	kinds := []OutcomeKind{OutcomeSucceeded, OutcomeSucceeded, OutcomeSucceeded, OutcomeFailed, OutcomeReleased}
	o := Outcome{Kind: rapid.SampledFrom(kinds).Draw(t, "outcome"), Error: "e"}
	if err := s.tree.Finish(id, o, s.policy(t), Moment{Now: s.now, Luck: 0.5}); err != nil {
		t.Fatalf("finish leased job %s: %v", id, err)
	}
}

func (s *simulation) graft(t *rapid.T) {
	id := s.drawLeased(t)
	if id == "" || s.tree.Jobs[id].State != Running {
		return
	}
	parent := rapid.SampledFrom([]string{id, s.tree.ID}).Draw(t, "parent")
	spec := drawSpec(t, s, 1)
	_ = s.tree.Graft(parent, []Spec{spec}, s.now)
	size := len(s.tree.Jobs)
	_ = s.tree.Graft(parent, []Spec{spec}, s.now)
	if len(s.tree.Jobs) != size && s.tree.Stop == nil {
		t.Fatalf("graft again: got %d jobs, want %d", len(s.tree.Jobs), size)
	}
}

// supersede puts jobs in the place of any, twice.
func (s *simulation) supersede(t *rapid.T) {
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(s.tree.Jobs))).Draw(t, "superseded")
	var by []Spec
	for range rapid.IntRange(0, 2).Draw(t, "in its place") {
		by = append(by, drawSpec(t, s, 1))
	}
	if s.tree.Supersede(id, by, "gone", s.now) != nil {
		return
	}
	size := len(s.tree.Jobs)
	_ = s.tree.Supersede(id, by, "gone", s.now)
	if len(s.tree.Jobs) != size || !s.tree.Jobs[id].State.Ended() {
		t.Fatalf("supersede again: got %d jobs and %s, want %d and an end", len(s.tree.Jobs), s.tree.Jobs[id].State, size)
	}
}

// runOut lets everything succeed until nothing moves.
func (s *simulation) runOut(t *rapid.T) {
	for range 10 * len(s.tree.Jobs) {
		s.now = s.now.Add(time.Hour)
		s.lend()
		s.check(t)
		for _, id := range slices.Sorted(maps.Keys(s.leases)) {
			if s.tree.Finish(id, done, Policy{}, Moment{Now: s.now}) == nil {
				s.check(t)
			}
		}
	}
}

// check compares with the step before.
func (s *simulation) check(t *rapid.T) {
	leases := map[string]string{}
	for id, j := range s.tree.Jobs {
		was, known := s.before[id]
		if known && was != j.State && !was.CanBecome(j.State) && !s.twoStep(was, j.State) {
			t.Fatalf("job %s: went from %s to %s", id, was, j.State)
		}
		s.checkOrder(t, j)
		if !j.leased() {
			continue
		}
		leases[id] = j.Lease
		if old := s.leases[id]; old != "" && old != j.Lease && was == Running {
			t.Fatalf("job %s: lease %s given while %s lives", id, j.Lease, old)
		}
	}
	s.leases, s.before = leases, states(s.tree)
}

// twoStep: a message about a start that was not heard of does both steps.
func (s *simulation) twoStep(from, to State) bool {
	return from == Ready && Running.CanBecome(to)
}

func (s *simulation) checkOrder(t *rapid.T, j *Job) {
	begun := j.State == Ready || j.State == Running || j.State == Succeeded
	if !begun || j.Cleanup {
		return
	}
	for _, c := range s.tree.Children(j.ID) {
		if c.Cleanup || c.State.settled() {
			continue
		}
		// Grafted children may be open while their parent's handler runs.
		grafted := c.Created.After(s.tree.Created)
		if !grafted || j.State == Succeeded {
			t.Fatalf("job %s is %s before its child %s, which is %s", j.ID, j.State, c.ID, c.State)
		}
	}
}
