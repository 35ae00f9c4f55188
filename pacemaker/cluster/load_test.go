package cluster_test

import (
	"math"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestLoad_TheScoreIsItsLargestPart(t *testing.T) {
	idle := cluster.Load{CPU: 0.1, CPUs: 4, MemoryUsed: 2 << 30, MemoryTotal: 10 << 30, DiskUsed: 0.3, DiskFree: 7 << 30, LoadAverage: 0.4}
	for largest, c := range map[string]struct {
		change func(*cluster.Load)
		want   float64
	}{
		"disk":      {func(*cluster.Load) {}, 0.3},
		"cpu":       {func(l *cluster.Load) { l.CPU = 0.9 }, 0.9},
		"load":      {func(l *cluster.Load) { l.LoadAverage = 3.2 }, 0.8},
		"memory":    {func(l *cluster.Load) { l.MemoryUsed = 6 << 30 }, 0.6},
		"instances": {func(l *cluster.Load) { l.Instances, l.Promised = 8, 8<<30 }, 0.8},
	} {
		l := idle
		c.change(&l)
		l = l.Scored()
		if math.Abs(l.Score-c.want) > 1e-9 {
			t.Errorf("%s: the score is %v, want %v", largest, l.Score, c.want)
		}
		for _, p := range l.ScoreParts() {
			if p.Text == "" || (p.Value == l.Score) != (p.Name == largest) {
				t.Errorf("%s: part %+v of score %v", largest, p, l.Score)
			}
		}
	}
}

// Whatever a machine says, parts are shares: more than there is counts as all,
// and what is not known as nothing.
func TestLoad_PartsAreShares(t *testing.T) {
	for name, l := range map[string]cluster.Load{
		"nothing known": {},
		"beyond all":    {CPU: 3, CPUs: 2, LoadAverage: 77, MemoryUsed: 9, MemoryTotal: 3, DiskUsed: 2, Promised: 99},
		"below nothing": {CPU: -1, LoadAverage: -2, MemoryUsed: -9, MemoryTotal: 3, DiskUsed: -2},
	} {
		for _, p := range l.ScoreParts() {
			if !(p.Value >= 0 && p.Value <= 1) {
				t.Errorf("%s: %s is %v", name, p.Name, p.Value)
			}
		}
	}
}
