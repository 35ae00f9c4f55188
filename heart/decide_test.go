package heart

import (
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

func TestDecide_Steps(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	up := &docker.Container{Started: true, Running: true}
	down := &docker.Container{Started: true}
	fresh := &docker.Container{}
	running := record{State: cluster.InstanceRunning, Healthy: true}
	waiting := running
	waiting.NextStart = now.Add(3 * time.Second)
	due := running
	due.NextStart = now
	stopping := running
	stopping.StopAsked = true
	termed := stopping
	termed.TermAt, termed.Spec.StopGrace = now.Add(-4*time.Second), 10*time.Second
	late := termed
	late.TermAt = now.Add(-10 * time.Second)
	cases := []struct {
		name string
		rec  record
		c    *docker.Container
		want step
	}{
		{"assigned", record{State: cluster.InstanceAssigned}, nil, step{action: actionPrepare}},
		{"created", record{State: cluster.InstanceStarting}, fresh, step{action: actionStart}},
		{"started", record{State: cluster.InstanceStarting}, up, step{action: actionCheck}},
		{"ended before healthy", record{State: cluster.InstanceStarting}, down, step{action: actionFail}},
		{"failed", record{State: cluster.InstanceFailed}, up, step{action: actionKill}},
		{"failed and down", record{State: cluster.InstanceFailed}, down, step{action: actionRemove}},
		{"failed and gone", record{State: cluster.InstanceFailed}, nil, step{action: actionGone}},
		{"running", running, up, step{action: actionCheck}},
		{"crashed", running, down, step{action: actionCrash}},
		{"lost its container", running, nil, step{action: actionCrash}},
		{"waits to restart", waiting, down, step{wait: 3 * time.Second}},
		{"restart due", due, down, step{action: actionStart}},
		{"restart due, no container", due, nil, step{action: actionPrepare}},
		{"stop", stopping, up, step{action: actionTerm}},
		{"stop a crashed one", stopping, down, step{action: actionRemove}},
		{"stop, nothing there", stopping, nil, step{action: actionGone}},
		{"in its grace", termed, up, step{wait: 6 * time.Second}},
		{"grace over", late, up, step{action: actionKill}},
		{"stray", record{Stray: true, State: cluster.InstanceRunning}, down, step{wait: inspectInterval}},
	}
	for _, c := range cases {
		if got := decide(c.rec, c.c, now); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPlanRestart_NeverStartsTooOften(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_000_000, 0)
		rec := record{Healthy: true}
		for range rapid.IntRange(1, 60).Draw(t, "crashes") {
			rec.HealthySince = time.Time{}
			if lived := rapid.IntRange(0, 1500).Draw(t, "lived"); lived > 0 {
				rec.HealthySince = now
				now = now.Add(time.Duration(lived) * time.Second)
			}
			planRestart(&rec, now)
			wait := rec.NextStart.Sub(now)
			if wait < backoffMin || wait > startWindow {
				t.Fatalf("waits %s", wait)
			}
			now = rec.NextStart
			rec.Starts = append(recent(rec.Starts, now), now)
			if len(rec.Starts) > maxStarts {
				t.Fatalf("%d starts in %s", len(rec.Starts), startWindow)
			}
		}
	})
}

func TestPlanRestart_BacksOffAndForgets(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	rec := record{}
	var got []time.Duration
	for range 10 {
		planRestart(&rec, now)
		got = append(got, rec.Backoff)
	}
	rec.HealthySince = now.Add(-stableAfter)
	planRestart(&rec, now)
	got = append(got, rec.Backoff)

	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 1}
	for i := range want {
		if got[i] != want[i]*time.Second {
			t.Errorf("back-off %d: got %s, want %ds", i, got[i], want[i])
		}
	}
}

func TestLedger_KeepsPortsInQuarantineAcrossRestarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ports.json")
	a, b := cluster.NewID(), cluster.NewID()
	now := time.Now()
	l, err := openLedger(file, 20000, 20010)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(id cluster.ID, at time.Time) error {
		t.Helper()
		if l, err = openLedger(file, 20000, 20010); err != nil {
			t.Fatal(err)
		}
		return l.claim(20001, id, at)
	}

	if err := claim(a, now); err != nil {
		t.Errorf("a free port: %v", err)
	}
	if err := claim(b, now); !errors.Is(err, ErrPortRefused) || !strings.Contains(err.Error(), string(a)) {
		t.Errorf("a held port: got %v, want it refused, naming its holder", err)
	}
	if err := l.release(20001, b, now); err != nil {
		t.Fatal(err)
	}
	if err := claim(b, now); !errors.Is(err, ErrPortRefused) {
		t.Errorf("a stranger released it: got %v", err)
	}
	if err := l.release(20001, a, now); err != nil {
		t.Fatal(err)
	}
	if err := claim(b, now.Add(quarantine-time.Second)); !errors.Is(err, ErrPortRefused) {
		t.Errorf("in quarantine: got %v, want it refused", err)
	}
	if err := claim(a, now.Add(time.Second)); err != nil {
		t.Errorf("its last holder again: %v", err)
	}
	if err := l.release(20001, a, now); err != nil {
		t.Fatal(err)
	}
	if err := claim(b, now.Add(quarantine)); err != nil {
		t.Errorf("after quarantine: %v", err)
	}
	if err := l.claim(443, a, now); !errors.Is(err, ErrPortRefused) {
		t.Errorf("outside the range: got %v", err)
	}
}

const procTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0B00007F:9C4F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   2: 0100007F:1389 0100007F:1388 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
`

const procTCP6 = `   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1
   1: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1
`

func TestParseListeners_ReadsTheKernelsTables(t *testing.T) {
	got := append(parseListeners([]byte(procTCP)), parseListeners([]byte(procTCP6))...)

	want := []listener{
		{netip.MustParseAddr("127.0.0.1"), 5000}, {engineDNS, 40015}, {netip.MustParseAddr("::"), 8080}, {netip.MustParseAddr("::1"), 5000},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("listener %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func FuzzParseListeners(f *testing.F) {
	f.Add([]byte(procTCP))
	f.Add([]byte(procTCP6))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, l := range parseListeners(data) {
			if !l.addr.IsValid() || l.port < 0 || l.port > 65535 {
				t.Errorf("read %v", l)
			}
		}
	})
}
