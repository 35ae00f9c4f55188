package redisq

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
)

// lines are what was logged so far.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) with(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// A node's job may add none, wherever: it would have others work for it.
func TestKeeper_RefusesANodesGrafts(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	said := &lines{}
	opt := keeperOptions(1)
	opt.Log = slog.New(slog.NewTextHandler(said, nil))
	k, ends, _ := startKeeper(t, rdb, opt)
	for name, to := range map[string]jobs.Queue{
		"own": jobs.NodeQueue("own"), "victim": jobs.NodeQueue("other"), "master": jobs.RoleQueue("pacemaker"), "helper": jobs.RoleQueue("builder"),
	} {
		q := jobs.NodeQueue(name)
		startWorker(t, rdb, q, map[string]jobs.Handler{"sly": func(_ context.Context, r *jobs.Run) (any, error) {
			return nil, r.Graft(spec("ok", to))
		}})

		add(t, k, spec("sly", q))
		tree := awaitEnd(t, ends)

		wantState(t, tree, jobs.Failed)
		if len(tree.Jobs) != 1 || !strings.Contains(tree.Stop.Reason, "may not add") {
			t.Errorf("to %s: got %d jobs, reason %q; want 1 and a refusal", to.Owner, len(tree.Jobs), tree.Stop.Reason)
		}
		if got := said.with("a job sly on " + q.Owner + " may not add"); len(got) != 1 {
			t.Errorf("to %s: got the lines %q, want one that says who tried", to.Owner, got)
		}
	}
}

// Whatever a node sends, and how much of it: the log has a line of it in a while.
func TestKeeper_TellsOfNonsenseOnce(t *testing.T) {
	t.Parallel()
	rdb := connect(t, testkit.Redis(t))
	said := &lines{}
	opt := keeperOptions(1)
	now := time.Now() // stands still
	opt.Clock = func() time.Time { return now }
	opt.Log = slog.New(slog.NewTextHandler(said, nil))
	k, _, _ := startKeeper(t, rdb, opt)
	q := jobs.NodeQueue("evil")
	add(t, k, spec("x", q))
	done := []any{"k", "done", "tree", "t", "job", "j", "lease", "l", "body", `{"kind":"succeeded"}`}

	for range 300 {
		send(t, rdb, keysOf(q).out(), []any{"k", strings.Repeat("x", 5000), "tree", "t", "job", "j", "lease", "l"})
		send(t, rdb, keysOf(q).out(), done)
	}

	testkit.Eventually(t, "all to be read", func() bool { s := k.Stats(); return s.Rejected == 300 && s.Late == 300 })
	for _, text := range []string{"refused a message", "under a lease that is over"} {
		if got := said.with(text); len(got) != 1 || len(got[0]) > 1000 {
			t.Errorf("%q: got %d lines, the first %.1000q; want one, and a short one", text, len(got), got)
		}
	}
}

func TestRefusals_CountThoseThatAreNotTold(t *testing.T) {
	t.Parallel()
	r, now := refusals{}, time.Now()
	for i, c := range []struct {
		stream string
		after  time.Duration
		before int
		ok     bool
	}{
		{"a", 0, 0, true},
		{"a", time.Second, 0, false},
		{"b", time.Second, 0, true},
		{"a", refusalEvery - 1, 0, false},
		{"a", refusalEvery, 2, true},
		{"a", 2 * refusalEvery, 0, true},
	} {
		if before, ok := r.due(c.stream, now.Add(c.after)); before != c.before || ok != c.ok {
			t.Errorf("%d: got %d and %t, want %d and %t", i, before, ok, c.before, c.ok)
		}
	}
}
