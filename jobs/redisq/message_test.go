package redisq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aorta/internal/testkit"
	"aorta/jobs"
)

func TestMessage_RoundTrip(t *testing.T) {
	base := message{Tree: "t", Job: "j", Lease: "l"}
	for _, m := range []message{
		{Kind: messageTaken, Worker: "w"},
		{Kind: messageBack},
		{Kind: messageProgress, Progress: jobs.Progress{N: 1, M: 2, Text: "x"}},
		{Kind: messageDone, Outcome: jobs.Outcome{Kind: jobs.OutcomeFailed, Error: "e", Permanent: true}},
		{Kind: messageGraft, Graft: graft{Parent: "j", Specs: []jobs.Spec{spec("k", jobs.NodeQueue("a"))}}},
	} {
		m.Tree, m.Job, m.Lease = base.Tree, base.Job, base.Lease
		values, err := m.values()
		if err != nil {
			t.Fatalf("encode %+v: %v", m, err)
		}

		got, err := parseMessage(asEntry(values))

		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("%s: got %v (-want +got):\n%s", m.Kind, err, diff)
		}
	}
}

// asEntry is what the values look like when they come back from Redis.
func asEntry(values []any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(values); i += 2 {
		text, ok := values[i+1].(string)
		if !ok {
			text = string(values[i+1].([]byte))
		}
		out[values[i].(string)] = text
	}
	return out
}

func FuzzParseMessage(f *testing.F) {
	f.Add("done", "t", "j", "l", `{"kind":"succeeded","result":{}}`)
	f.Add("graft", "t", "j", "l", `{"parent":"j","specs":[{"id":"x"}]}`)
	f.Add("taken", "t", "j", "l", `"w"`)
	f.Add("progress", "t", "j", "l", `{"n":1}`)
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, kind, tree, job, lease, body string) {
		m, err := parseMessage(map[string]any{"k": kind, "tree": tree, "job": job, "lease": lease, "body": body})

		if err != nil || m.Kind == messageWake {
			return
		}
		if m.Tree == "" || m.Job == "" || m.Lease == "" {
			t.Fatalf("accepted without tree, job or lease: %+v", m)
		}
		if len(m.Outcome.Error) > maxText || len(m.Outcome.Result) > maxResult || len(m.Worker) > 128 || len(m.Progress.Text) > maxText {
			t.Fatalf("accepted oversized: %d, %d, %d, %d bytes", len(m.Outcome.Error), len(m.Outcome.Result), len(m.Worker), len(m.Progress.Text))
		}
	})
}

func FuzzQueueOfOut(f *testing.F) {
	f.Add("{n:a}:out")
	f.Add("{jobs}:out")
	f.Add("{}:out")
	f.Fuzz(func(t *testing.T, stream string) {
		q, ok := queueOfOut(stream)

		if ok && keysOf(q).out() != stream {
			t.Fatalf("%q became %q", stream, keysOf(q).out())
		}
	})
}

func TestClip_KeepsTextValid(t *testing.T) {
	long := strings.Repeat("ä", 100)

	for n := 10; n < 30; n++ {
		if got := clip(long, n); len(got) > n || !utf8.ValidString(got) {
			t.Errorf("clip to %d: got %d bytes, valid %v", n, len(got), utf8.ValidString(got))
		}
	}
	if got := clip("short", 10); got != "short" {
		t.Errorf("got %q, want short", got)
	}
}

// luck decides what the handlers of random trees do, and watches them.
type luck struct {
	mu       sync.Mutex // guards all below
	children map[string][]string
	fails    map[string]int // attempts still to fail
	grafts   map[string]jobs.Spec
	running  map[string]int
	done     map[string]bool
	wrong    []string
}

func (l *luck) handle(_ context.Context, r *jobs.Run) (any, error) {
	l.begin(r.ID())
	defer l.end(r.ID())
	if g, ok := l.graftOf(r.ID()); ok {
		if err := r.Graft(g); err != nil {
			return nil, err
		}
	}
	return nil, l.outcome(r.ID())
}

func (l *luck) begin(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[id]++
	if l.running[id] > 1 {
		l.wrong = append(l.wrong, id+" ran twice at once")
	}
	for _, c := range l.children[id] {
		if !l.done[c] {
			l.wrong = append(l.wrong, id+" ran before "+c)
		}
	}
}

func (l *luck) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[id]--
}

func (l *luck) graftOf(id string) (jobs.Spec, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.grafts[id]
	return g, ok
}

func (l *luck) outcome(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails[id] > 0 {
		l.fails[id]--
		return errors.New("bad luck")
	}
	l.done[id] = true
	return nil
}

func (l *luck) draw(t *rapid.T, depth int) jobs.Spec {
	queues := []jobs.Queue{jobs.NodeQueue("a"), jobs.RoleQueue("r")}
	s := spec("x", rapid.SampledFrom(queues).Draw(t, "queue"))
	s.Priority = rapid.IntRange(jobs.High, jobs.Low).Draw(t, "priority")
	l.fails[s.ID] = rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, 2, 3}).Draw(t, "failures")
	if rapid.IntRange(0, 5).Draw(t, "graft") == 0 {
		l.grafts[s.ID] = spec("x", s.Queue)
	}
	for range rapid.IntRange(0, 3*min(depth, 1)).Draw(t, "children") {
		c := l.draw(t, depth-1)
		l.children[s.ID] = append(l.children[s.ID], c.ID)
		s.Children = append(s.Children, c)
	}
	return s
}

func TestJobs_RandomTreesKeepTheirOrderAndEnd(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	opt := keeperOptions(1)
	// No worker dies here: a lease lost on a busy machine would be a second run.
	opt.LeaseTTL = testLimit
	k, ends, _ := startKeeper(t, rdb, opt)
	l := &luck{
		children: map[string][]string{}, fails: map[string]int{}, grafts: map[string]jobs.Spec{},
		running: map[string]int{}, done: map[string]bool{},
	}
	for _, q := range []jobs.Queue{jobs.NodeQueue("a"), jobs.RoleQueue("r")} {
		for range 3 {
			startWorker(t, rdb, q, map[string]jobs.Handler{"x": l.handle})
		}
	}

	rapid.Check(t, func(rt *rapid.T) {
		l.mu.Lock()
		s := l.draw(rt, 3)
		l.mu.Unlock()
		add(t, k, s)
		tree := awaitEnd(t, ends)

		for _, j := range tree.Jobs {
			if !j.State.Ended() {
				rt.Fatalf("job %s: got %s in an ended tree", j.ID, j.State)
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.wrong) > 0 {
			rt.Fatalf("got %s, want order", fmt.Sprint(l.wrong))
		}
		if tree.State == jobs.Succeeded && !l.done[s.ID] {
			rt.Fatalf("tree %s succeeded without its root", s.ID)
		}
	})
}
