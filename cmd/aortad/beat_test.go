package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aorta/heart/tags"
	"aorta/pacemaker/cluster"
)

// fakePacemaker has a session for whoever said hello since it began.
type fakePacemaker struct {
	mu      sync.Mutex // guards all below
	session string
	refuses error // each hello
	reports []cluster.Report
	hellos  int
}

func (f *fakePacemaker) Hello(_ context.Context, h cluster.Hello) (cluster.Welcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hellos++
	if f.refuses != nil {
		return cluster.Welcome{}, f.refuses
	}
	f.session = h.Session
	return cluster.Welcome{NodeName: "edge"}, nil
}

func (f *fakePacemaker) Report(_ context.Context, r cluster.Report) (cluster.ReportAnswer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.session != r.Session {
		return cluster.ReportAnswer{}, cluster.Conflict("say hello first")
	}
	f.reports = append(f.reports, r)
	return cluster.ReportAnswer{}, nil
}

// restart forgets the session, and counts the reports so far.
func (f *fakePacemaker) restart() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.session = ""
	return len(f.reports)
}

func newBeat(f *fakePacemaker, welcomed func(cluster.Welcome)) *beat {
	return &beat{
		tags: tags.New(tags.Config{}), pacemaker: f, hello: cluster.Hello{Session: "s1", Roles: []cluster.Role{cluster.RoleRouter}}, every: time.Second,
		load: func() cluster.Load { return cluster.Load{Score: 0.5} }, parts: func() []cluster.Part { return []cluster.Part{{Name: "disk"}} }, welcomed: welcomed, log: slog.New(slog.DiscardHandler),
	}
}

func TestBeat_ReportsEachIntervalAndToANewPacemaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, welcomes := &fakePacemaker{session: "s1"}, 0
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- newBeat(f, func(cluster.Welcome) { welcomes++ }).Run(ctx) }()

		<-time.After(10 * time.Second)
		synctest.Wait()
		before := f.restart()
		<-time.After(10 * time.Second)
		synctest.Wait()
		after := f.restart()
		stop()

		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it to end with its context", err)
		}
		if before < 9 || after-before < 8 || f.hellos != 1 || welcomes != 1 {
			t.Errorf("got %d reports, then %d after %d hellos and %d welcomes; want one each second, and one hello", before, after-before, f.hellos, welcomes)
		}
		last := f.reports[len(f.reports)-1]
		if !last.Full || len(last.Instances) != 0 || last.Counter <= f.reports[0].Counter || last.Load.Score != 0.5 || len(last.Parts) != 1 {
			t.Errorf("got %+v, want an empty full report with the node's parts and a counter that rises", last)
		}
	})
}

func TestBeat_EndsWhenItsNodeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			refuses error
			hellos  int
		}{
			"a token that is not valid": {cluster.Forbidden("no"), 1},
			"another process":           {cluster.Conflict("in use"), beatConflicts + 1},
		} {
			f := &fakePacemaker{refuses: c.refuses}

			err := newBeat(f, func(cluster.Welcome) {}).Run(t.Context())

			if !errors.Is(err, c.refuses) || f.hellos != c.hellos {
				t.Errorf("%s: got %v after %d hellos, want it refused after %d", name, err, f.hellos, c.hellos)
			}
		}
	})
}
