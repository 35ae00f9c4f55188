package watch

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// watching runs a probe until the test in the bubble ends.
func watching(t *testing.T, p Probe) *Watch {
	t.Helper()
	w := New(slog.New(slog.DiscardHandler))
	w.watching(t, p)
	return w
}

func (w *Watch) watching(t *testing.T, p Probe) {
	t.Helper()
	loop := w.Add(p)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = loop(ctx) }()
	t.Cleanup(func() { stop(); <-done })
}

func TestWatch_SaysWhatIsWrongAndSinceWhen(t *testing.T) {
	hangs := make(chan struct{})
	for name, c := range map[string]struct {
		use   func(context.Context) error
		fault string
		minor bool
		grace time.Duration
	}{
		"in order":           {func(context.Context) error { return nil }, "", false, 0},
		"a message":          {func(context.Context) error { return cluster.Unavailable("it is full: make room.") }, "It is full: make room.", false, 0},
		"a minor one":        {func(context.Context) error { return Minor(cluster.Unavailable("ähnlich")) }, "Ähnlich.", true, 0},
		"any other error":    {func(context.Context) error { return errors.New("EOF") }, "Silent.", false, 0},
		"too slow":           {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "Silent.", false, 0},
		"hanging":            {func(context.Context) error { <-hangs; return nil }, "Silent.", false, 0},
		"not for long yet":   {func(context.Context) error { return errors.New("EOF") }, "", false, time.Minute},
		"for longer than it": {func(context.Context) error { return errors.New("EOF") }, "Silent.", false, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hangs = make(chan struct{})
				w := watching(t, Probe{Name: "p", Silent: "Silent.", Use: c.use, Grace: c.grace})

				<-time.After(9 * time.Second)
				got := w.Parts()[0]
				close(hangs)

				if got.Fault != c.fault || got.Minor != c.minor || (got.Ago > 0) != (c.fault != "") {
					t.Errorf("got %+v, want %q, minor %t", got, c.fault, c.minor)
				}
			})
		})
	}
}

func TestWatch_ForgetsAFaultThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var well atomic.Bool
		w := watching(t, Probe{Name: "p", Silent: "Silent.", Roles: []cluster.Role{cluster.RoleHeart}, Use: func(context.Context) error {
			if well.Load() {
				return nil
			}
			return errors.New("EOF")
		}})

		<-time.After(time.Second)
		heart, router := w.Trouble(cluster.RoleHeart), w.Trouble(cluster.RoleRouter)
		well.Store(true)
		<-time.After(interval)
		synctest.Wait()

		if heart == nil || heart.Error() != "Silent." || router != nil {
			t.Errorf("got %v for the role that needs it and %v for one that does not, want the fault for the first alone", heart, router)
		}
		if p := w.Parts()[0]; p.Fault != "" || p.Ago != 0 || w.Trouble(cluster.RoleHeart) != nil {
			t.Errorf("got %+v, want it in order again", p)
		}
	})
}

// While the process itself gets no processor, nothing that it waited for in vain is
// to blame, but what a part says of itself stands.
func TestWatch_BlamesNoPartWhileItIsLateItself(t *testing.T) {
	hangs := make(chan struct{})
	for name, c := range map[string]struct {
		use  func(context.Context) error
		want string
	}{
		"too slow":        {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, ""},
		"hanging":         {func(context.Context) error { <-hangs; return nil }, ""},
		"any other error": {func(context.Context) error { return errors.New("EOF") }, ""},
		"a message":       {func(context.Context) error { return cluster.Unavailable("it is full: make room.") }, "It is full: make room."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hangs = make(chan struct{})
				w := New(slog.New(slog.DiscardHandler))
				w.pulse.begin() // and it does not end
				<-time.After(lateBy)
				w.watching(t, Probe{Name: "p", Silent: "Silent.", Use: c.use})
				w.watching(t, w.Self())

				<-time.After(19 * time.Second)
				part, daemon := w.Parts()[0], w.Parts()[1]
				close(hangs)

				if part.Fault != c.want || !strings.HasPrefix(daemon.Fault, "Aortad is overloaded") || !daemon.Minor {
					t.Errorf("got %+v and %+v, want the fault %q and the daemon's own, a minor one", part, daemon, c.want)
				}
			})
		})
	}
}

func TestPulse_NoticesThatTheProcessIsLate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	w := New(slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = w.Pulse(ctx) })
	began := time.Now()
	var burning atomic.Bool
	burning.Store(true)
	for range 150 {
		group.Go(func() {
			for burning.Load() { //nolint:revive // it burns a processor
			}
		})
	}

	testkit.Eventually(t, "a late beat", func() bool { return w.pulse.tooLate(began) })
	burning.Store(false)
	testkit.Eventually(t, "beats in time", func() bool { return !w.pulse.tooLate(time.Now()) })
	stop()
	group.Wait()
}
