package jobs

import (
	"errors"
	"testing"
)

func TestSupersede_OthersTakeTheJobsPlace(t *testing.T) {
	tree := newTree(t, over("root", over("a", leaf("b"), leaf("c"))))
	_ = errors.Join(tree.Lend("b", "x"), tree.Start("b", "w", epoch))

	err := errors.Join(
		tree.Supersede("b", []Spec{leaf("d")}, "n3 is dead", epoch),
		tree.Supersede("b", []Spec{leaf("d")}, "said twice", epoch))
	late := tree.Finish("b", bad, Policy{}, Moment{Now: epoch})
	run(t, tree, "c", done, Policy{})
	wantStates(t, tree, map[string]State{"root": Waiting, "a": Waiting, "b": Superseded, "c": Succeeded, "d": Ready})
	run(t, tree, "d", done, Policy{})
	run(t, tree, "a", done, Policy{})
	run(t, tree, "root", done, Policy{})

	if err != nil || !errors.Is(late, ErrOver) || tree.Jobs["b"].Error != "n3 is dead" || tree.State != Succeeded {
		t.Fatalf("got %v, %v for its late answer, %q, %s; want nil, ErrOver, the first reason, succeeded", err, late, tree.Jobs["b"].Error, tree.State)
	}
}

// What a job has grafted goes with it, also what others have asked for below it.
func TestSupersede_EndsAllBelow(t *testing.T) {
	tree := newTree(t, over("root", leaf("a"), leaf("b")))
	_ = errors.Join(tree.Lend("a", "x"), tree.Start("a", "w", epoch),
		tree.Graft("a", []Spec{over("g", leaf("h"))}, epoch), tree.Finish("a", done, Policy{}, Moment{Now: epoch}),
		tree.Lend("h", "y"), tree.Start("h", "w", epoch))

	err := tree.Supersede("a", nil, "gone", epoch)

	wantStates(t, tree, map[string]State{"root": Waiting, "a": Superseded, "g": Superseded, "h": Superseded, "b": Ready})
	run(t, tree, "b", done, Policy{})
	wantStates(t, tree, map[string]State{"root": Ready, "a": Superseded, "g": Superseded, "h": Superseded, "b": Succeeded})
	if err != nil {
		t.Fatalf("got %v, want nil", err)
	}
}

// The place of what has ended is under the nearest job above it that has not, which
// waits for it, though its own handler may be at work.
func TestSupersede_OfWhatHasEndedAddsTheOthers(t *testing.T) {
	tree := newTree(t, over("root", over("publish", over("place", leaf("start")))))
	run(t, tree, "start", done, Policy{})
	run(t, tree, "place", done, Policy{})
	_ = errors.Join(tree.Lend("publish", "x"), tree.Start("publish", "w", epoch))

	err := tree.Supersede("start", []Spec{leaf("again")}, "gone", epoch)
	finished := tree.Finish("publish", done, Policy{}, Moment{Now: epoch})

	wantStates(t, tree, map[string]State{"root": Waiting, "publish": Waiting, "place": Succeeded, "start": Succeeded, "again": Ready})
	run(t, tree, "again", done, Policy{})
	wantStates(t, tree, map[string]State{"root": Ready, "publish": Succeeded, "place": Succeeded, "start": Succeeded, "again": Succeeded})
	if err != nil || finished != nil || tree.Jobs["again"].Parent != "publish" {
		t.Fatalf("got %v, %v, under %q; want nil, nil, under publish", err, finished, tree.Jobs["again"].Parent)
	}
}

func TestSupersede_Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		id   string
		by   Spec
		want error
		way  func(*Tree) error
	}{
		"an unknown job":   {"q", leaf("n"), ErrNotFound, nil},
		"the root":         {"root", leaf("n"), ErrInvalid, nil},
		"a clean-up job":   {"z", leaf("n"), ErrInvalid, nil},
		"what is no job":   {"a", leaf("no id"), ErrInvalid, nil},
		"a tree that ends": {"a", leaf("n"), ErrOver, stopped},
	} {
		tree := newTree(t, over("root", leaf("a"), cleanup("z")))
		if c.way != nil {
			_ = c.way(tree)
		}
		before := states(tree)

		err := tree.Supersede(c.id, []Spec{c.by}, "gone", epoch)

		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		wantStates(t, tree, before)
	}
}
