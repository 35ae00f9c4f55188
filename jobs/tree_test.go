package jobs

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	here  = NodeQueue("a")
	done  = Outcome{Kind: OutcomeSucceeded}
	bad   = Outcome{Kind: OutcomeFailed, Error: "disk full"}
)

func leaf(id string) Spec { return Spec{ID: id, Kind: "step", Queue: here} }

func over(id string, children ...Spec) Spec {
	s := leaf(id)
	s.Children = children
	return s
}

func cleanup(id string) Spec {
	s := leaf(id)
	s.Cleanup = true
	return s
}

func newTree(t *testing.T, root Spec) *Tree {
	t.Helper()
	tree, err := New(root, "op", epoch)
	if err != nil {
		t.Fatalf("New: got %v, want nil", err)
	}
	return tree
}

// run lends and starts a job, and ends it with o.
func run(t *testing.T, tree *Tree, id string, o Outcome, p Policy) {
	t.Helper()
	err := errors.Join(tree.Lend(id, "lease"), tree.Start(id, "w", epoch), tree.Finish(id, o, p, Moment{Now: epoch}))
	if err != nil {
		t.Fatalf("run %s: got %v, want nil", id, err)
	}
}

func states(tree *Tree) map[string]State {
	out := map[string]State{}
	for id, j := range tree.Jobs {
		out[id] = j.State
	}
	return out
}

func wantStates(t *testing.T, tree *Tree, want map[string]State) {
	t.Helper()
	if diff := cmp.Diff(want, states(tree)); diff != "" {
		t.Fatalf("states (-want +got):\n%s", diff)
	}
}

func TestTree_RunsChildFirst(t *testing.T) {
	tree := newTree(t, over("root", over("b", leaf("c"), leaf("d"))))

	first := tree.Ready(epoch)
	run(t, tree, "c", done, Policy{})
	half := tree.Ready(epoch)
	run(t, tree, "d", done, Policy{})
	run(t, tree, "b", done, Policy{})
	run(t, tree, "root", done, Policy{})

	if diff := cmp.Diff([][]string{{"c", "d"}, {"d"}}, [][]string{first, half}); diff != "" {
		t.Fatalf("ready (-want +got):\n%s", diff)
	}
	if tree.State != Succeeded || tree.Ended != epoch {
		t.Fatalf("tree: got %s at %s, want succeeded at %s", tree.State, tree.Ended, epoch)
	}
}

func TestTree_ReadyGoesByPriorityThenID(t *testing.T) {
	low, high := leaf("a"), leaf("z")
	low.Priority = Low
	tree := newTree(t, over("root", low, leaf("m"), high))

	got := tree.Ready(epoch)

	if diff := cmp.Diff([]string{"m", "z", "a"}, got); diff != "" {
		t.Fatalf("ready (-want +got):\n%s", diff)
	}
}

func TestTree_FailureStopsTheRestAndRunsCleanup(t *testing.T) {
	tree := newTree(t, over("root", leaf("a"), leaf("b"), leaf("c"), cleanup("z")))
	_ = tree.Lend("b", "lease-b")

	run(t, tree, "a", bad, Policy{})

	wantStates(t, tree, map[string]State{"root": Aborted, "a": Failed, "b": Ready, "c": Aborted, "z": Waiting})
	if diff := cmp.Diff([]string{"b"}, tree.ToCancel()); diff != "" {
		t.Fatalf("to cancel (-want +got):\n%s", diff)
	}
	if err := tree.Unqueue("b", epoch); err != nil {
		t.Fatalf("Unqueue: got %v, want nil", err)
	}
	wantStates(t, tree, map[string]State{"root": Aborted, "a": Failed, "b": Aborted, "c": Aborted, "z": Ready})
	run(t, tree, "z", bad, Policy{})
	if tree.State != Failed || tree.Stop.Job != "a" || !strings.Contains(tree.Stop.Reason, "disk full") {
		t.Fatalf("got %s by %+v, want failed by a's error", tree.State, tree.Stop)
	}
}

func TestTree_SuccessSkipsCleanup(t *testing.T) {
	tree := newTree(t, over("root", cleanup("z")))

	run(t, tree, "root", done, Policy{})

	wantStates(t, tree, map[string]State{"root": Succeeded, "z": Aborted})
	if tree.State != Succeeded {
		t.Fatalf("tree: got %s, want succeeded", tree.State)
	}
}

func TestTree_AbortKeepsWhatAlreadySucceeded(t *testing.T) {
	tree := newTree(t, over("root", leaf("a"), leaf("b")))
	run(t, tree, "a", done, Policy{})
	_ = errors.Join(tree.Lend("b", "x"), tree.Start("b", "w", epoch))

	first := tree.Abort("enough", epoch)
	second := tree.Abort("really", epoch)
	_ = tree.Finish("b", bad, Policy{MaxAttempts: 5}, Moment{Now: epoch})
	third := tree.Abort("once more", epoch)

	wantStates(t, tree, map[string]State{"root": Aborted, "a": Succeeded, "b": Aborted})
	if first != nil || second != nil || !errors.Is(third, ErrOver) || tree.Stop.Reason != "enough" || tree.State != Aborted {
		t.Fatalf("got %v, %v, %v, %+v, %s; want nil, nil, ErrOver, the first reason, aborted", first, second, third, tree.Stop, tree.State)
	}
}

func TestTree_AttemptsEndByPolicy(t *testing.T) {
	retry := Policy{MaxAttempts: 2, BackoffBase: time.Second}
	for name, c := range map[string]struct {
		policy Policy
		end    func(*Tree) error
		want   State
		due    time.Time
		text   string
	}{
		"first failure":         {retry, finishWith(bad, retry), Ready, epoch.Add(500 * time.Millisecond), "disk full"},
		"permanent failure":     {retry, finishWith(Outcome{Kind: OutcomeFailed, Permanent: true}, retry), Failed, time.Time{}, ""},
		"no policy":             {Policy{}, finishWith(bad, Policy{}), Failed, time.Time{}, "disk full"},
		"at most once":          {Policy{}, finishWith(bad, Policy{AtMostOnce: true, MaxAttempts: 9}), Failed, time.Time{}, "disk full"},
		"released":              {Policy{}, finishWith(Outcome{Kind: OutcomeReleased}, retry), Ready, time.Time{}, ""},
		"released, once":        {Policy{}, finishWith(Outcome{Kind: OutcomeReleased}, Policy{AtMostOnce: true}), Failed, time.Time{}, "outcome is unknown"},
		"returned, once":        {Policy{}, finishWith(Outcome{Kind: OutcomeReturned}, Policy{AtMostOnce: true}), Ready, time.Time{}, ""},
		"worker lost":           {Policy{}, func(t *Tree) error { return t.Lose("a", retry, epoch) }, Ready, time.Time{}, ""},
		"worker lost, once":     {Policy{}, func(t *Tree) error { return t.Lose("a", Policy{AtMostOnce: true}, epoch) }, Failed, time.Time{}, "outcome is unknown"},
		"worker lost for third": {Policy{}, loseThrice, Failed, time.Time{}, "died 3 times"},
	} {
		tree := newTree(t, leaf("a"))
		_ = errors.Join(tree.Lend("a", "x"), tree.Start("a", "w", epoch))

		err := c.end(tree)

		j := tree.Jobs["a"]
		if err != nil || j.State != c.want || !j.Due.Equal(c.due) || !strings.Contains(j.Error, c.text) {
			t.Errorf("%s: got %v, %s, due %s, %q; want nil, %s, due %s, %q", name, err, j.State, j.Due, j.Error, c.want, c.due, c.text)
		}
	}
}

func finishWith(o Outcome, p Policy) func(*Tree) error {
	return func(t *Tree) error { return t.Finish("a", o, p, Moment{Now: epoch}) }
}

func loseThrice(t *Tree) error {
	var errs []error
	for range MaxCrashes {
		errs = append(errs, t.Lose("a", Policy{}, epoch))
		_ = t.Lend("a", "again")
	}
	return errors.Join(errs...)
}

func TestTree_GraftMakesTheParentWait(t *testing.T) {
	tree := newTree(t, over("root", leaf("a")))
	_ = errors.Join(tree.Lend("a", "x"), tree.Start("a", "w", epoch))

	err := errors.Join(
		tree.Graft("a", []Spec{over("b", leaf("c"))}, epoch),
		tree.Graft("a", []Spec{over("b", leaf("other"))}, epoch),
		tree.Graft("root", []Spec{leaf("d")}, epoch),
		tree.Finish("a", done, Policy{}, Moment{Now: epoch}))
	if err != nil {
		t.Fatalf("got %v, want nil", err)
	}
	wantStates(t, tree, map[string]State{"root": Waiting, "a": Waiting, "b": Waiting, "c": Ready, "d": Ready})
	for _, id := range []string{"c", "b"} {
		run(t, tree, id, done, Policy{})
	}
	wantStates(t, tree, map[string]State{"root": Waiting, "a": Succeeded, "b": Succeeded, "c": Succeeded, "d": Ready})
	run(t, tree, "d", done, Policy{})
	run(t, tree, "root", done, Policy{})
	if tree.State != Succeeded || tree.Jobs["a"].Attempt != 1 {
		t.Fatalf("got %s, %d attempts of a; want succeeded, 1", tree.State, tree.Jobs["a"].Attempt)
	}
}

func TestTree_GraftRefuses(t *testing.T) {
	tree := newTree(t, over("root", leaf("a"), leaf("b"), cleanup("z")))
	run(t, tree, "a", done, Policy{})

	for name, c := range map[string]struct {
		parent string
		spec   Spec
		want   error
	}{
		"a job that ended":   {"a", leaf("n"), ErrOver},
		"a job not begun":    {"b", leaf("n"), ErrOver},
		"a clean-up job":     {"z", leaf("n"), ErrInvalid},
		"an unknown job":     {"q", leaf("n"), ErrNotFound},
		"an invalid spec":    {"root", leaf(""), ErrInvalid},
		"a known id below":   {"root", over("n", leaf("a")), ErrInvalid},
		"the same id within": {"root", over("n", leaf("n")), ErrInvalid},
	} {
		if err := tree.Graft(c.parent, []Spec{c.spec}, epoch); !errors.Is(err, c.want) || len(tree.Jobs) != 4 {
			t.Errorf("%s: got %v and %d jobs, want %v and 4", name, err, len(tree.Jobs), c.want)
		}
	}
}

func TestTree_SurvivesStorage(t *testing.T) {
	tree := newTree(t, over("root", leaf("a"), leaf("b")))
	run(t, tree, "a", done, Policy{})
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	var read Tree
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatalf("decode: %v", err)
	}

	run(t, &read, "b", done, Policy{})
	run(t, &read, "root", done, Policy{})

	if read.State != Succeeded {
		t.Fatalf("got %s, want succeeded", read.State)
	}
}

func TestTree_DrainNamesWhatChanged(t *testing.T) {
	tree := newTree(t, over("root", leaf("a")))
	all := tree.Drain()

	run(t, tree, "a", done, Policy{})

	if diff := cmp.Diff([][]string{{"a", "root"}, {"a", "root"}, {}}, [][]string{all, tree.Drain(), tree.Drain()}); diff != "" {
		t.Fatalf("changed (-want +got):\n%s", diff)
	}
}
