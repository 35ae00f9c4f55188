package heart

import (
	"testing"
	"time"

	"aorta/internal/cgroup"
	"aorta/pacemaker/cluster"
)

func TestGauge_IsAMeanSinceTheReadingBefore(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var g gauge
	read := func(cpu time.Duration) *float64 { return g.add(cgroup.Usage{CPU: cpu}, at) }

	if !g.due(at, at) || read(time.Minute) != nil {
		t.Fatal("got cores of the first reading, want none")
	}
	if at = at.Add(time.Second); g.due(g.of, at) {
		t.Error("a second after the first reading: got the next one due, want it later")
	}
	at = at.Add(time.Second)
	if got := read(time.Minute + 500*time.Millisecond); !g.due(g.of, at.Add(usageInterval)) || got == nil || *got != 0.25 {
		t.Errorf("half a second in two: got %v, want 0.25", got)
	}
	if again := at.Add(time.Second); !g.due(again, at) || read(0) != nil {
		t.Error("got cores of another process from the one before, want none")
	}
}

func TestDiffers_LeavesOutWhatMovesALittle(t *testing.T) {
	of := func(memory int64, cpu *float64) cluster.InstanceStatus {
		return cluster.InstanceStatus{Memory: memory, CPU: cpu}
	}
	for name, c := range map[string]struct {
		old, now cluster.InstanceStatus
		want     bool
	}{
		"the same":            {of(1600, new(0.5)), of(1600, new(0.5)), false},
		"a little memory":     {of(1600, nil), of(1690, nil), false},
		"much memory":         {of(1600, nil), of(1800, nil), true},
		"an idle process":     {of(0, new(0.001)), of(0, new(0.009)), false},
		"a busy process":      {of(0, new(0.5)), of(0, new(0.52)), false},
		"more work":           {of(0, new(0.5)), of(0, new(0.6)), true},
		"known from now on":   {of(0, nil), of(0, new(0.0)), true},
		"not known any more":  {of(0, new(0.0)), of(0, nil), true},
		"neither of the two":  {of(0, nil), of(0, nil), false},
		"idle, on the border": {of(0, new(0.0)), of(0, new(0.01)), false},
	} {
		if got := differs(c.old, c.now); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
