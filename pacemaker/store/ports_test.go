package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// clock is the time as a test sets it.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) forward(d time.Duration) { c.ns.Add(int64(d)) }

// openStoreAt opens a fresh database with a clock of the test's own.
func openStoreAt(tb testing.TB) (*Store, *clock) {
	tb.Helper()
	dir, c := tb.TempDir(), &clock{}
	c.ns.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	sealer, err := seal.Open(filepath.Join(dir, "key"), true)
	testkit.Must(tb, err)
	seed(tb, dir)
	s, err := Open(context.Background(), Config{Dir: dir, Sealer: sealer, Log: slog.New(slog.DiscardHandler), Now: c.now})
	testkit.Must(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s, c
}

// assign puts one instance on a node and gives its port.
func assign(tb testing.TB, s *Store, node cluster.ID) (id cluster.ID, port int) {
	tb.Helper()
	id = cluster.NewID()
	testkit.Must(tb, s.Assign(context.Background(), []Assignment{{ID: id, App: appOf(tb, s), Release: "r", Type: "web", Node: node, NeedsPort: true}}))
	return id, portOf(tb, s, id)
}

func portOf(tb testing.TB, s *Store, id cluster.ID) int {
	tb.Helper()
	in, err := s.Instance(context.Background(), id)
	testkit.Must(tb, err)
	return in.Port
}

func after(port int) int { return FirstPort + (port+1-FirstPort)%(LastPort-FirstPort+1) }

func gone(tb testing.TB, s *Store, node, id cluster.ID) {
	tb.Helper()
	_, _, err := s.ApplyReport(context.Background(), node, []cluster.InstanceStatus{{ID: id, State: cluster.InstanceStopped, Gone: true}})
	testkit.Must(tb, err)
}

func TestPorts_NextFitPerNode(t *testing.T) {
	t.Parallel()
	s, _ := openStoreAt(t)
	one, two := newNode(t, s, "n1"), newNode(t, s, "n2")
	first, port := assign(t, s, one.ID)
	gone(t, s, one.ID, first)

	_, second := assign(t, s, one.ID)
	_, third := assign(t, s, one.ID)
	_, elsewhere := assign(t, s, two.ID)

	if second != after(port) || third != after(second) {
		t.Errorf("got %d, %d, %d, want each after the one before, although the first is free again", port, second, third)
	}
	if elsewhere < FirstPort || elsewhere > LastPort {
		t.Errorf("got %d on the other node, want one of the range", elsewhere)
	}
}

func TestPorts_RestAfterTheirInstance(t *testing.T) {
	t.Parallel()
	s, c := openStoreAt(t)
	n := newNode(t, s, "n1")
	fill(t, s, n.ID, LastPort-1)
	last, port := assign(t, s, n.ID)
	if port != LastPort {
		t.Fatalf("got %d, want the only one left, %d", port, LastPort)
	}
	gone(t, s, n.ID, last)

	late := func() error {
		return s.Assign(t.Context(), []Assignment{{ID: cluster.NewID(), App: appOf(t, s), Release: "r", Type: "web", Node: n.ID, NeedsPort: true}})
	}
	c.forward(PortQuarantine - time.Second)
	early := late()
	c.forward(2 * time.Second)
	_, again := assign(t, s, n.ID)

	if cluster.CodeOf(early) != cluster.CodeUnavailable || !strings.Contains(early.Error(), "no free port") {
		t.Errorf("within its rest: got %v, want no free port", early)
	}
	if again != LastPort {
		t.Errorf("after its rest: got %d, want %d", again, LastPort)
	}
	list, err := s.InstancesOn(t.Context(), n.ID)
	testkit.Must(t, err)
	if len(list) != 1 {
		t.Errorf("got %d instances, want the refused ones not written", len(list))
	}
}

// fill takes all ports up to one.
func fill(tb testing.TB, s *Store, node cluster.ID, upTo int) {
	tb.Helper()
	testkit.Must(tb, s.write(context.Background(), "fill", func(tx *gorm.DB) error {
		return tx.Exec(`WITH RECURSIVE n(p) AS (SELECT ? UNION ALL SELECT p + 1 FROM n WHERE p < ?)
			INSERT INTO ports SELECT ?, p, 'i' || p, NULL FROM n`, FirstPort, upTo, string(node)).Error
	}))
}

func TestChangePort_GivesAnotherAndRestsTheRefused(t *testing.T) {
	t.Parallel()
	s, _ := openStoreAt(t)
	n := newNode(t, s, "n1")
	id, port := assign(t, s, n.ID)

	testkit.Must(t, s.ChangePort(t.Context(), id, port))
	second := portOf(t, s, id)
	testkit.Must(t, s.ChangePort(t.Context(), id, port)) // asked twice
	again := portOf(t, s, id)
	_, other := assign(t, s, n.ID)

	if second == port || again != second || other == port || other == second {
		t.Errorf("got %d, then %d, then %d, and %d for another; want one change, and nobody on %d", port, second, again, other, port)
	}
}

var states = []cluster.InstanceState{
	cluster.InstanceAssigned, cluster.InstancePulling, cluster.InstanceStarting, cluster.InstanceRunning,
	cluster.InstanceDraining, cluster.InstanceStopped, cluster.InstanceFailed, "unheard",
}

func TestApplyReport_NeverGoesBack(t *testing.T) {
	t.Parallel()
	s, _ := openStoreAt(t)
	n := newNode(t, s, "n1")
	rapid.Check(t, func(rt *rapid.T) {
		id, port := assign(t, s, n.ID)
		before, err := s.Instance(t.Context(), id)
		testkit.Must(t, err)
		for range rapid.IntRange(1, 6).Draw(rt, "reports") {
			st := cluster.InstanceStatus{
				ID: id, State: rapid.SampledFrom(states).Draw(rt, "state"), Gone: rapid.IntRange(0, 5).Draw(rt, "gone") == 0,
				Crashing: rapid.Bool().Draw(rt, "crashing"), Restarts: rapid.IntRange(0, 3).Draw(rt, "restarts"), Port: rapid.IntRange(0, 9).Draw(rt, "port"),
			}
			_, changed, err := s.ApplyReport(t.Context(), n.ID, []cluster.InstanceStatus{st})
			testkit.Must(t, err)
			now, err := s.Instance(t.Context(), id)
			testkit.Must(t, err)

			same := now.State == before.State && now.Crashing == before.Crashing && now.Restarts == before.Restarts && (now.GoneAt == nil) == (before.GoneAt == nil)
			switch {
			case now.State != before.State && !before.State.CanBecome(now.State):
				rt.Fatalf("%+v: went from %s to %s", st, before.State, now.State)
			case before.GoneAt != nil && !same:
				rt.Fatalf("%+v: changed %+v to %+v after it was gone", st, before, now)
			case now.GoneAt != nil && (!now.State.Ended() || now.Crashing):
				rt.Fatalf("%+v: gone and %s, crashing %t", st, now.State, now.Crashing)
			case now.Port != port:
				rt.Fatalf("%+v: port went from %d to %d", st, port, now.Port)
			case changed == same:
				rt.Fatalf("%+v: said changed %t from %+v to %+v", st, changed, before, now)
			}
			before = now
		}
	})
}

func TestApplyReport_NamesWhatIsUnknownOnThatNode(t *testing.T) {
	t.Parallel()
	s, _ := openStoreAt(t)
	one, two := newNode(t, s, "n1"), newNode(t, s, "n2")
	mine, _ := assign(t, s, one.ID)
	theirs, _ := assign(t, s, two.ID)
	stranger := cluster.NewID()

	unknown, _, err := s.ApplyReport(t.Context(), one.ID, []cluster.InstanceStatus{
		{ID: mine, State: cluster.InstanceRunning}, {ID: theirs, State: cluster.InstanceFailed, Gone: true}, {ID: stranger, State: cluster.InstanceRunning},
	})

	testkit.Must(t, err)
	other, err := s.Instance(t.Context(), theirs)
	testkit.Must(t, err)
	if len(unknown) != 2 || unknown[0] != theirs || unknown[1] != stranger || other.State != cluster.InstanceAssigned {
		t.Errorf("got unknown %v and the other node's %s, want %v and it untouched", unknown, other.State, []cluster.ID{theirs, stranger})
	}
}

// appOf is an app that is there.
func appOf(tb testing.TB, s *Store) cluster.ID {
	tb.Helper()
	app, err := s.App(context.Background(), "a")
	if err != nil {
		app, _ = newApp(tb, s, "a")
	}
	return app.ID
}
