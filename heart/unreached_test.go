package heart_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/heart"
	"aorta/heart/cutoff"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// watched is a lab whose hearts have a watchdog, which outlives them until it is told to end.
func watched(t *testing.T) (l *lab, end func()) {
	t.Helper()
	l = newLab(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = 6 * time.Second })
	var once sync.Once
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	end = func() { cancel(); running.Wait() }
	t.Cleanup(end)
	dir := l.cfg.CutOffDir()
	testkit.Must(t, os.MkdirAll(dir, 0o700))
	l.cfg.Watchdog = func(context.Context) error {
		once.Do(func() {
			running.Go(func() { _ = cutoff.Watch(ctx, dir, slog.New(slog.DiscardHandler)) })
		})
		return nil
	}
	return l, end
}

func stopsCutOff(s *cluster.InstanceSpec) { s.Exclusive, s.StopWhenCutOff = true, true }

func (l *lab) runs(id cluster.ID) bool {
	c, err := l.engine.Inspect(l.t.Context(), id)
	return err == nil && c.Running
}

// What is to stop when it is cut off is promised to, stops in order while the heart lives,
// and starts again once the pacemaker says so; that is no crash.
func TestHeart_StopsWhatIsToWhileThePacemakerIsNotReached(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	n := l.start()
	id := l.running(n, "serve", stopsCutOff)
	other := l.running(n, "serve", func(s *cluster.InstanceSpec) { s.Exclusive = true })
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == 6*time.Second })

	l.pace.set(func() { l.pace.away = true })
	l.eventually("its end", func() bool { return !l.runs(id) })
	c, err := l.engine.Inspect(t.Context(), id)
	testkit.Must(t, err)
	if !l.runs(other) || c.ExitCode == 137 || l.pace.status(other).StopsAfter != 0 {
		t.Errorf("got exit %d of it, and running %t of another one; want it to have ended in order, alone", c.ExitCode, l.runs(other))
	}
	l.pace.set(func() { l.pace.away = false })
	l.eventually("it to run again", func() bool { return l.runs(id) })
	l.eventually("it to be reported so", func() bool {
		st := l.pace.status(id)
		return st.State == cluster.InstanceRunning && !st.Crashing && st.StopsAfter == 6*time.Second
	})

	l.wantNoCrash()
}

// The watchdog holds the promise of a heart that is dead. The next one asks before it
// starts it again.
func TestHeart_WhatIsToStopWhenCutOffStopsWithoutAHeart(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	n := l.start()
	id := l.running(n, "stubborn", stopsCutOff)
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == 6*time.Second })

	n.kill()
	l.eventually("its end", func() bool { return !l.runs(id) })
	before := l.pace.askedFor(id)
	l.start()
	l.eventually("it to run again", func() bool { return l.runs(id) })

	if l.pace.askedFor(id) == before {
		t.Error("it started again, and nobody was asked whether it may")
	}
	l.wantNoCrash()
}

// wantNoCrash: what it was stopped for is told, and it is none.
func (l *lab) wantNoCrash() {
	l.t.Helper()
	l.wantTold(cluster.Unreached)
	l.pace.set(func() {
		if len(l.pace.crashes) > 0 {
			l.t.Errorf("got the crashes %q, want none", l.pace.crashes)
		}
	})
}

// wantTold: the output, or what is reported, says why it was ended.
func (l *lab) wantTold(cause string) {
	l.t.Helper()
	l.eventually("the cause in its output", func() (told bool) {
		l.pace.set(func() {
			told = slices.ContainsFunc(l.pace.lines, func(line cluster.LogText) bool { return strings.HasPrefix(line.Text, cause) }) ||
				slices.Contains(l.pace.causes, cause)
		})
		return told
	})
}

// With the node's daemons the watchdog is stopped: nobody would end it later.
func TestHeart_WhatIsToStopWhenCutOffEndsWithItsWatchdog(t *testing.T) {
	t.Parallel()
	l, end := watched(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = time.Hour })
	n := l.start()
	id := l.running(n, "serve", stopsCutOff)
	l.eventually("the promise", func() bool { return l.pace.status(id).StopsAfter == time.Hour })

	n.kill()
	lived := l.runs(id)
	end()

	l.eventually("its end", func() bool { return !l.runs(id) })
	if !lived {
		t.Error("it ended with its heart, and before its watchdog")
	}
	l.start()
	l.wantTold(cluster.StoppedWithNode)
}

// What is held is asked to end before the watchdog is stopped. That is no crash either.
func TestStopHeld_EndsInOrder(t *testing.T) {
	t.Parallel()
	l, _ := watched(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = time.Hour })
	n := l.start()
	id := l.running(n, "serve", stopsCutOff)
	other := l.running(n, "serve", nil)
	n.kill()

	testkit.Must(t, heart.StopHeld(t.Context(), l.engine, l.cfg.DataDir, testkit.Hang))
	c := l.inspect(id)
	lives := l.runs(other)
	l.start()

	l.eventually("it to run again", func() bool { return l.runs(id) })
	l.wantTold(cluster.StoppedWithNode)
	if c.Running || c.ExitCode != 0 || !lives {
		t.Errorf("got it running %t, exit %d, another one running %t; want it alone to have ended in order", c.Running, c.ExitCode, lives)
	}
}

// Nothing starts that is to stop when it is cut off where nothing could see to that.
func TestHeart_StartsNothingThatNobodyCouldStop(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pace.set(func() { l.pace.answer.DeadAfter = 6 * time.Second })
	n := l.start()
	id := l.want("serve", stopsCutOff)
	job := forInstance(id)
	go func() { _, _ = n.StartInstance(t.Context(), job) }() // ends with the test
	l.eventually("it to say what it waits for", func() bool {
		return strings.Contains(strings.Join(append(job.Lines(), job.Steps()...), "\n"), "nothing could see to that")
	})
	if l.runs(id) || l.pace.status(id).StopsAfter != 0 {
		t.Errorf("got it running %t, promised %s; want neither", l.runs(id), l.pace.status(id).StopsAfter)
	}
}
