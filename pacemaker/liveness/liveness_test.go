package liveness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/pacemaker/cluster"
)

const dead = 15 * time.Second

// world is some hearts under a judge, over a clock that the test turns.
type world struct {
	*Judge
	now   time.Time
	nodes []Node
	log   []string // what changed, such as "n1 dead at 16s"
	start time.Time
}

func newWorld(n int) *world {
	start := time.Unix(1_000_000, 0)
	w := &world{Judge: New(dead, start), now: start, start: start}
	for i := range n {
		w.nodes = append(w.nodes, Node{ID: cluster.ID(fmt.Sprintf("n%d", i+1)), Heart: true, State: cluster.NodeReady})
	}
	return w
}

// run lets time pass, second by second, in which those nodes speak that are named.
func (w *world) run(d time.Duration, speak ...int) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Second)
		for _, n := range speak {
			w.nodes[n-1].Heard = w.now
		}
		w.judge()
	}
}

func (w *world) judge() Judgement {
	got := w.Judge.Judge(w.now, w.nodes)
	for _, c := range got.Changes {
		i := slices.IndexFunc(w.nodes, func(n Node) bool { return n.ID == c.ID })
		w.nodes[i].State = c.To
		w.log = append(w.log, fmt.Sprintf("%s %s at %s", c.ID, c.To, w.now.Sub(w.start)))
	}
	return got
}

func (w *world) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.log, want) {
		t.Errorf("got %q, want %q", w.log, want)
	}
}

func TestJudge_ASilentNodeIsSuspectThenDeadAndComesBack(t *testing.T) {
	w := newWorld(3)
	w.run(10*time.Second, 1, 2, 3)

	w.run(20*time.Second, 1, 2)
	w.run(5*time.Second, 1, 2, 3)

	w.expect(t, "n3 suspect at 18s", "n3 dead at 25s", "n3 ready at 31s")
}

// A new process has heard nobody: that is no silence of theirs.
func TestJudge_TimesBeginWithTheProcess(t *testing.T) {
	w := newWorld(3)
	w.nodes[1].State, w.nodes[2].State = cluster.NodeSuspect, cluster.NodeDead

	w.run(5*time.Second, 1)
	w.expect(t)
	w.run(time.Second, 1, 2)
	w.expect(t, "n2 ready at 6s")
	w.run(15*time.Second, 1, 2)

	w.expect(t, "n2 ready at 6s") // n3 stays dead, whatever times begin anew
}

// A node that joins an old cluster was not silent before that.
func TestJudge_ANodeThatJoinsHasItsWholeTime(t *testing.T) {
	w := newWorld(2)
	w.run(time.Minute, 1, 2)

	w.nodes = append(w.nodes, Node{ID: "n3", Heart: true, State: cluster.NodeReady})
	w.run(5*time.Second, 1, 2)
	w.run(5*time.Second, 1, 2, 3)
	w.expect(t)

	w.nodes = append(w.nodes, Node{ID: "n4", Heart: true, State: cluster.NodeReady})
	w.run(20*time.Second, 1, 2, 3)
	w.expect(t, "n4 suspect at 1m19s", "n4 dead at 1m26s")
}

// A process that was stopped for a minute, or starved, has not heard who spoke.
func TestJudge_ARoundThatComesLateRestartsAllTimes(t *testing.T) {
	w := newWorld(3)
	w.run(10*time.Second, 1, 2, 3)

	w.now = w.now.Add(time.Minute)
	if got := w.judge(); !got.Restarted {
		t.Errorf("got %+v, want the times begun anew", got)
	}
	w.run(14*time.Second, 1, 2)
	w.expect(t, "n3 suspect at 1m18s") // 7.5 s after the late round, not 67 s
	w.run(time.Second, 1, 2)

	w.expect(t, "n3 suspect at 1m18s", "n3 dead at 1m25s")
}

func TestJudge_NobodyIsDeadWhileMostAreSilent(t *testing.T) {
	w := newWorld(4)
	w.run(10*time.Second, 1, 2, 3, 4)

	w.run(5*time.Minute, 1)

	if !w.judge().Guarded || strings.Contains(fmt.Sprint(w.log), "dead") {
		t.Errorf("got %q, want the guard, and nobody dead", w.log)
	}
	w.log = nil
	w.run(3*time.Minute, 1, 2) // back one by one
	w.run(10*time.Second, 1, 2, 3)
	if !w.judge().Guarded {
		t.Errorf("the guard lets go with one of four silent")
	}
	w.run(time.Minute, 1, 2, 3, 4)
	if w.judge().Guarded || strings.Contains(fmt.Sprint(w.log), "dead") {
		t.Errorf("got %q, want no guard, and nobody dead on the way back", w.log)
	}
	w.log = nil
	w.run(20*time.Second, 1, 2, 3)
	if len(w.log) != 2 || !strings.HasPrefix(w.log[1], "n4 dead") {
		t.Errorf("got %q, want n4 dead: the guard is over", w.log)
	}
}

func TestJudge_TheLastSilentOneIsDeadAfterFiveTimeouts(t *testing.T) {
	w := newWorld(3)
	w.run(10*time.Second, 1, 2, 3)
	w.run(30*time.Second, 1)
	if !w.judge().Guarded {
		t.Fatal("no guard with two of three silent")
	}
	back := w.now.Sub(w.start)

	w.run(3*time.Minute, 1, 2)

	want := fmt.Sprintf("n3 dead at %s", back+time.Second+6*dead)
	if !slices.Contains(w.log, want) {
		t.Errorf("got %q, want %q", w.log, want)
	}
}

// One of two that is lost is not many, and half are not most.
func TestJudge_TheGuardNeedsTwoAndMoreThanHalf(t *testing.T) {
	for _, tc := range []struct {
		nodes, silent int
		guarded       bool
	}{{1, 1, false}, {2, 1, false}, {3, 2, true}, {4, 2, false}, {4, 3, true}, {9, 5, true}, {11, 6, false}, {20, 11, false}, {20, 12, true}} {
		w := newWorld(tc.nodes)
		var speak []int
		for i := tc.silent; i < tc.nodes; i++ {
			speak = append(speak, i+1)
		}
		w.run(20*time.Second, speak...)

		if got := w.judge().Guarded; got != tc.guarded {
			t.Errorf("%d of %d silent: guarded %t, want %t", tc.silent, tc.nodes, got, tc.guarded)
		}
	}
}

func TestJudge_RoutersAreNotCountedAmongHearts(t *testing.T) {
	w := newWorld(6)
	w.nodes[3].Heart, w.nodes[4].Heart, w.nodes[5].Heart = false, false, false

	w.run(20*time.Second, 1, 4, 5, 6)

	if !w.judge().Guarded {
		t.Error("no guard with two of three hearts silent")
	}
}

func TestHold_DoublesWithEachLossAndForgets(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	losses, got := 0, []time.Duration{}
	for range 7 {
		losses = Losses(losses, now.Add(-time.Minute), now, dead)
		got = append(got, Hold(losses, dead)/dead)
	}
	if want := []time.Duration{2, 4, 8, 16, 32, 60, 60}; !slices.Equal(got, want) {
		t.Errorf("got holds of %v timeouts, want %v", got, want)
	}
	for _, last := range []time.Time{{}, now.Add(-2 * time.Hour), now.Add(time.Hour)} {
		if got := Losses(7, last, now, dead); got != 1 {
			t.Errorf("a loss at %s counts: got %d", last, got)
		}
	}
	if Hold(0, dead) != 0 {
		t.Error("a node that was never lost is held")
	}
}

// Whatever happens, a node is dead only after its whole time of silence, and never
// while most hearts are silent.
func TestJudge_NeverTooSoon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.IntRange(1, 8).Draw(t, "nodes"))
		spoke := make([]time.Time, len(w.nodes))
		for i := range spoke {
			spoke[i] = w.start
		}
		for range rapid.IntRange(1, 120).Draw(t, "rounds") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "step")) * time.Second)
			for i := range w.nodes {
				if rapid.IntRange(0, 4).Draw(t, "speaks") == 0 {
					w.nodes[i].Heard, spoke[i] = w.now, w.now
				}
			}
			before := slices.Clone(w.nodes)
			got := w.judge()
			for _, c := range got.Changes {
				i := slices.IndexFunc(before, func(n Node) bool { return n.ID == c.ID })
				if c.To == cluster.NodeDead && (w.now.Sub(spoke[i]) < dead || got.Guarded || got.Restarted) {
					t.Fatalf("%s is dead %s after it spoke, guarded %t, restarted %t", c.ID, w.now.Sub(spoke[i]), got.Guarded, got.Restarted)
				}
				if c.From == cluster.NodeDead && w.now.Sub(spoke[i]) >= SuspectAfter(dead) {
					t.Fatalf("%s is %s again without a word", c.ID, c.To)
				}
			}
		}
	})
}
