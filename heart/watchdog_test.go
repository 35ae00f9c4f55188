package heart_test

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// A watchdog that is gone while the engine hangs is promised by no more, and what was
// promised with it is kept by the heart.
func TestHeart_EndsWhatIsOverdueWithoutItsWatchdog(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = 6 * time.Second })
	var gone atomic.Bool
	testkit.Must(t, os.MkdirAll(l.cfg.CutOffDir(), 0o700))
	l.cfg.Watchdog = func(context.Context) error {
		if gone.Load() {
			return errors.New("no process can be started")
		}
		return nil // of one that kills nothing
	}
	hang, thaw := l.hangs()
	n := l.start()
	id := l.running(n, "stubborn", stopsCutOff)
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == 6*time.Second })

	hang()
	gone.Store(true)
	l.eventually("the promise to be taken back", func() bool { return l.pace.status(id).StopsAfter == 0 })
	lived := l.runs(id)
	l.pace.set(func() { l.pace.away = true })
	l.eventually("its end", func() bool { return !l.runs(id) })
	gone.Store(false)
	l.pace.set(func() { l.pace.away = false })
	thaw()

	l.eventually("the promise again", func() bool { return l.runs(id) && l.pace.status(id).StopsAfter == 6*time.Second })
	if !lived {
		t.Error("it ended while the pacemaker was reached")
	}
	l.wantNoCrash()
}
