package jobs

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var allStates = []State{Waiting, Ready, Running, Succeeded, Failed, Aborted, Superseded}

func TestState_LegalTableIsClosed(t *testing.T) {
	for _, from := range allStates {
		for _, to := range allStates {
			tree := newTree(t, leaf("a"))
			j := tree.Jobs["a"]
			tree.count(j, -1)
			j.State = from
			tree.count(j, 1)

			moved := tree.move(j, to, epoch)

			if moved != from.CanBecome(to) || from.Ended() && moved {
				t.Errorf("%s to %s: moved %v, the table says %v", from, to, moved, from.CanBecome(to))
			}
		}
		if got, want := len(Legal[from]) == 0, from.Ended(); got != want {
			t.Errorf("%s: no way out %v, ended %v", from, got, want)
		}
	}
}

// change is a job's state before and after one rule.
type change struct{ from, to State }

// situations make a tree of root, a (the job that is looked at), b beside it and
// the clean-up job z, with a in a state that it came to by rules alone.
var situations = map[string]func(*testing.T) *Tree{
	"waiting for a child":   func(t *testing.T) *Tree { return family(t, over("a", leaf("c"))) },
	"ready":                 func(t *testing.T) *Tree { return family(t, leaf("a")) },
	"queued":                func(t *testing.T) *Tree { return led(t, leaf("a"), queued) },
	"running":               func(t *testing.T) *Tree { return led(t, leaf("a"), started) },
	"running, with a graft": func(t *testing.T) *Tree { return led(t, leaf("a"), grafting) },
	"waiting for a graft":   func(t *testing.T) *Tree { return led(t, leaf("a"), grafted) },
	"queued, stopped":       func(t *testing.T) *Tree { return led(t, leaf("a"), queued, stopped) },
	"running, stopped":      func(t *testing.T) *Tree { return led(t, leaf("a"), started, stopped) },
	"ready again":           func(t *testing.T) *Tree { return led(t, leaf("a"), started, tried) },
	"succeeded":             func(t *testing.T) *Tree { return led(t, leaf("a"), started, finished(done, Policy{})) },
	"failed":                func(t *testing.T) *Tree { return led(t, leaf("a"), started, finished(bad, Policy{})) },
	"superseded":            func(t *testing.T) *Tree { return led(t, leaf("a"), started, superseded) },
	"aborted":               func(t *testing.T) *Tree { return led(t, leaf("a"), stopped) },
}

func family(t *testing.T, a Spec) *Tree {
	return newTree(t, over("root", a, leaf("b"), cleanup("z")))
}

// led makes a tree and leads it through rules, which must all be obeyed.
func led(t *testing.T, a Spec, way ...func(*Tree) error) *Tree {
	t.Helper()
	tree := family(t, a)
	for _, step := range way {
		if err := step(tree); err != nil {
			t.Fatalf("lead job a: got %v, want nil", err)
		}
	}
	return tree
}

func queued(t *Tree) error { return t.Lend("a", "lease") }

func started(t *Tree) error {
	if err := queued(t); err != nil {
		return err
	}
	return t.Start("a", "w", epoch)
}

func grafting(t *Tree) error {
	if err := started(t); err != nil {
		return err
	}
	return t.Graft("a", []Spec{leaf("g")}, epoch)
}

func grafted(t *Tree) error {
	if err := grafting(t); err != nil {
		return err
	}
	return finished(done, Policy{})(t)
}

func stopped(t *Tree) error { return t.Abort("enough", epoch) }

func superseded(t *Tree) error { return t.Supersede("a", []Spec{leaf("s")}, "gone", epoch) }

func tried(t *Tree) error { return finished(bad, Policy{MaxAttempts: 9})(t) }

func finished(o Outcome, p Policy) func(*Tree) error { return finishOf("a", o, p) }

func finishOf(id string, o Outcome, p Policy) func(*Tree) error {
	return func(t *Tree) error { return t.Finish(id, o, p, Moment{Now: epoch}) }
}

// rules are all that change a tree, on every job that may matter to a.
func rules() map[string]func(*Tree) error {
	out := map[string]func(*Tree) error{"abort": stopped}
	policies := map[string]Policy{"once": {AtMostOnce: true}, "again": {MaxAttempts: 9}, "last": {}}
	for _, id := range []string{"a", "b", "c", "g", "root", "z"} {
		out["lend "+id] = func(t *Tree) error { return t.Lend(id, "another") }
		out["start "+id] = func(t *Tree) error { return t.Start(id, "w", epoch) }
		out["unqueue "+id] = func(t *Tree) error { return t.Unqueue(id, epoch) }
		out["progress "+id] = func(t *Tree) error { return t.SetProgress(id, Progress{N: 1}) }
		out["supersede "+id] = func(t *Tree) error { return t.Supersede(id, []Spec{leaf("new")}, "gone", epoch) }
		out["graft "+id] = func(t *Tree) error { return t.Graft(id, []Spec{leaf("new")}, epoch) }
		for name, p := range policies {
			out["lose "+id+" "+name] = func(t *Tree) error { return t.Lose(id, p, epoch) }
			for _, kind := range []OutcomeKind{OutcomeSucceeded, OutcomeFailed, OutcomeReleased, OutcomeReturned} {
				out[fmt.Sprintf("finish %s %s %s", id, kind, name)] = finishOf(id, Outcome{Kind: kind, Error: "e"}, p)
			}
			// Whatever it waits for happens at once.
			out["run "+id+" "+name] = func(t *Tree) error {
				_ = t.Lend(id, "lease")
				return finishOf(id, done, p)(t)
			}
		}
	}
	return out
}

// Every rule on every job in every situation: what changes is legal, or two
// legal steps in one because the start of the attempt had not been heard of; and
// every change of the table comes about.
func TestState_RulesMakeTheLegalChangesAndNoOthers(t *testing.T) {
	seen := map[change]bool{}

	for situation, build := range situations {
		for rule, apply := range rules() {
			tree := build(t)
			before := states(tree)
			_ = apply(tree)
			for id, to := range states(tree) {
				from, known := before[id]
				if !known || from == to {
					continue
				}
				seen[change{from, to}] = true
				unheard := from == Ready && Running.CanBecome(to)
				if !from.CanBecome(to) && !unheard {
					t.Errorf("%s, %s: job %s went from %s to %s", situation, rule, id, from, to)
				}
			}
		}
	}

	for from, tos := range Legal {
		for _, to := range tos {
			if !seen[change{from, to}] {
				t.Errorf("no rule takes a job from %s to %s, which the table allows", from, to)
			}
		}
	}
}

var (
	picturePattern = regexp.MustCompile("(?s)```mermaid\nstateDiagram-v2\n(.*?)```")
	arrowPattern   = regexp.MustCompile(`^([a-z]+|\[\*\]) --> ([a-z]+|\[\*\])(: \S.*)?$`)
)

// The picture in the docs has the arrows of the table, each with its cause, and
// no others.
func TestState_PictureShowsTheTable(t *testing.T) {
	text, err := os.ReadFile("../docs/JOBS.md")
	if err != nil {
		t.Fatalf("read the docs: %v", err)
	}
	picture := picturePattern.FindSubmatch(text)
	if picture == nil {
		t.Fatal("docs/JOBS.md: got no mermaid stateDiagram-v2, want one")
	}
	var got []string
	for line := range strings.Lines(string(picture[1])) {
		arrow := arrowPattern.FindStringSubmatch(strings.TrimSpace(line))
		if arrow == nil {
			t.Errorf("got a line that is no arrow: %q", line)
			continue
		}
		got = append(got, arrow[1]+" "+arrow[2])
		if outside := arrow[1] == "[*]" || arrow[2] == "[*]"; !outside && arrow[3] == "" {
			t.Errorf("the arrow from %s to %s: got no cause, want one", arrow[1], arrow[2])
		}
	}

	want := []string{"[*] waiting"}
	for _, from := range slices.Sorted(maps.Keys(Legal)) {
		for _, to := range Legal[from] {
			want = append(want, fmt.Sprint(from, " ", to))
		}
	}
	for _, s := range allStates {
		if s.Ended() {
			want = append(want, fmt.Sprint(s, " [*]"))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("arrows (-table +picture):\n%s", diff)
	}
}
