package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/heart/logs"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// sink keeps what arrives and refuses every third batch.
type sink struct {
	// mu guards all fields.
	mu    sync.Mutex
	calls int
	lines []cluster.LogLine
	full  func() bool // refuses everything while it says so
}

func (s *sink) ShipLogs(_ context.Context, batch []cluster.LogLine) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.calls%3 == 0 || s.full != nil && s.full() {
		return cluster.Unavailable("the pacemaker is away")
	}
	if len(batch) > 256 {
		return fmt.Errorf("a batch of %d lines", len(batch))
	}
	s.lines = append(s.lines, batch...)
	return nil
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines)
}

func start(t *testing.T, e *docker.Engine, image cluster.Image, mode string) cluster.ID {
	t.Helper()
	if _, err := e.EnsureNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	spec := cluster.InstanceSpec{ID: cluster.NewID(), AppID: cluster.NewID(), Type: "worker", Image: image, Env: map[string]string{"MODE": mode, "PORT": "5000"}}
	if _, err := e.Create(t.Context(), docker.Launch{Spec: spec}); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	return spec.ID
}

// ship runs a shipper over dir until the condition holds, then ends it.
func ship(t *testing.T, e *docker.Engine, s *sink, dir string, id cluster.ID, until func(*logs.Shipper) bool) {
	t.Helper()
	sh, err := logs.New(e, s, logs.Options{Dir: dir, Node: "n1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Follow(logs.Target{ID: id, Type: "worker", Release: "v1"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sh.Run(ctx) }() // ends with cancel below
	testkit.Eventually(t, 20*time.Second, "lines to be shipped", func() bool { return until(sh) })
	cancel()
	<-ended
}

func TestShipper_LosesAndDoublesNothingAcrossRestarts(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
	const total = 5000
	e, id := rig.Engine(t)
	instance := start(t, e, rig.Image(t, e, id), fmt.Sprintf("lines:%d", total))
	s, dir := &sink{}, t.TempDir()

	for round := range 5 {
		ship(t, e, s, dir, instance, func(*logs.Shipper) bool { return s.count() >= (round+1)*800 })
	}
	ship(t, e, s, dir, instance, func(*logs.Shipper) bool { return s.count() >= total+4 })

	seen := map[string]int{}
	last := map[string]string{}
	for _, l := range s.lines {
		seen[l.Text]++
		if strings.HasPrefix(l.Text, "line ") {
			if l.Text < last[l.Stream] {
				t.Fatalf("%s: %q came after %q", l.Stream, l.Text, last[l.Stream])
			}
			last[l.Stream] = l.Text
		}
	}
	for i := range total {
		if got := seen[fmt.Sprintf("line %06d", i)]; got != 1 {
			t.Fatalf("line %d arrived %d times, want once", i, got)
		}
	}
	if got := len(s.lines); got != total+4 {
		t.Errorf("got %d lines, want %d", got, total+4)
	}
	if seen["bad \uFFFD\uFFFD bytes"] != 1 { // the engine replaces byte by byte
		t.Errorf("the line with bad bytes is missing or not replaced")
	}
	if seen[strings.Repeat("x", logs.MaxLine)+logs.CutMark] != 1 {
		t.Errorf("the long line is missing or not cut")
	}
}

func TestShipper_DrainWaitsForTheLastLine(t *testing.T) {
	e, id := rig.Engine(t)
	instance := start(t, e, rig.Image(t, e, id), "exit:1")
	testkit.Eventually(t, 10*time.Second, "the app to exit", func() bool {
		c, err := e.Inspect(t.Context(), instance)
		return err == nil && c.Started && !c.Running
	})
	var away bool
	s := &sink{}
	s.full = func() bool { return away }
	away = true

	ship(t, e, s, t.TempDir(), instance, func(sh *logs.Shipper) bool {
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := sh.Drain(short, instance); err == nil {
			t.Errorf("drained while the sink refuses all")
		}
		s.mu.Lock()
		away = false
		s.mu.Unlock()
		if err := sh.Drain(t.Context(), instance); err != nil {
			t.Errorf("drain: %v", err)
		}
		return true
	})

	if got := s.count(); got != 2 {
		t.Errorf("got %d lines %v, want both", got, s.lines)
	}
}
