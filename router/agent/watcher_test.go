package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"aorta/router/openresty"
)

// fleet is an nginx whose workers do what they are told, or nothing.
type fleet struct {
	looked map[int]time.Time
	silent bool
	calls  []string
}

func (f *fleet) Status(context.Context) (openresty.Status, error) {
	if f.silent {
		return openresty.Status{}, errors.New("no answer")
	}
	var s openresty.Status
	for pid, at := range f.looked {
		s.Workers = append(s.Workers, openresty.WorkerStatus{PID: pid, LookedAt: float64(at.UnixMilli()) / 1000})
	}
	return s, nil
}

func (f *fleet) EndWorker(pid int) error  { return f.call("end %d", pid) }
func (f *fleet) KillWorker(pid int) error { return f.call("kill %d", pid) }
func (f *fleet) Renew() error             { return f.call("renew") }

func (f *fleet) call(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return nil
}

// watched lets a watcher look each second for so long. Those in fresh look at the
// table all the while.
func watched(f *fleet, seconds int, fresh ...int) *watcher {
	now := time.Unix(1e9, 0)
	f.looked = map[int]time.Time{1: now, 2: now}
	w := newWatcher(f, slog.New(slog.DiscardHandler))
	w.now = func() time.Time { return now }
	w.answered, w.known = now, []int{1, 2}
	for range seconds {
		now = now.Add(time.Second)
		for _, pid := range fresh {
			f.looked[pid] = now
		}
		w.check(context.Background())
	}
	return w
}

func TestWatcher_ReplacesWhoDoesNotFollow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seconds int
		fresh   []int
		silent  bool
		stuck   []int
		calls   []string
	}{
		"all follow":            {100, []int{1, 2}, false, nil, nil},
		"not for long":          {7, []int{2}, false, nil, nil},
		"named first":           {8, []int{2}, false, []int{1}, nil},
		"not replaced yet":      {19, []int{2}, false, []int{1}, nil},
		"one for long":          {24, []int{2}, false, []int{1}, []string{"end 1"}},
		"one that does not end": {64, []int{2}, false, []int{1}, []string{"end 1", "kill 1"}},
		"none follows":          {24, nil, false, []int{1, 2}, []string{"renew"}},
		"no answer, soon":       {7, nil, true, nil, nil},
		"no answer, named":      {8, nil, true, []int{1, 2}, nil},
		"no answer":             {24, nil, true, []int{1, 2}, []string{"renew"}},
		"no answer at all":      {64, nil, true, []int{1, 2}, []string{"renew", "kill 1", "kill 2"}},
	} {
		f := &fleet{silent: c.silent}

		w := watched(f, c.seconds, c.fresh...)

		stuck := w.Stuck()
		slices.Sort(stuck)
		slices.Sort(f.calls)
		slices.Sort(c.calls)
		if !slices.Equal(stuck, c.stuck) || !slices.Equal(f.calls, c.calls) {
			t.Errorf("%s: got %v stuck and calls %q, want %v and %q", name, stuck, f.calls, c.stuck, c.calls)
		}
		want := 0
		if len(c.calls) > 0 {
			want = len(c.stuck)
		}
		if w.Replaced() != uint64(want) {
			t.Errorf("%s: got %d counted, want %d", name, w.Replaced(), want)
		}
	}
}

// A clock that was set forward makes nobody late.
func TestWatcher_SetClockReplacesNobody(t *testing.T) {
	t.Parallel()
	f := &fleet{}
	now := time.Unix(1e9, 0)
	w := watched(f, 0)
	w.now = func() time.Time { return now }

	now = now.Add(time.Hour)
	w.check(t.Context())
	f.looked = map[int]time.Time{1: now, 2: now}
	now = now.Add(time.Second)
	w.check(t.Context())

	if len(f.calls) > 0 {
		t.Errorf("got %q, want nothing", f.calls)
	}
}
