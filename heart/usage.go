package heart

import (
	"context"
	"math"
	"time"

	"aorta/heart/docker"
	"aorta/internal/cgroup"
)

const (
	// usageInterval is how often an instance's use is measured, and what its use of
	// the processor is a mean of. The first comes sooner.
	usageInterval      = 10 * time.Second
	firstUsageInterval = 2 * time.Second
)

// gauge turns readings of an instance's use into what it uses now.
type gauge struct {
	of   time.Time // start of the process that was read
	last cgroup.Usage
	at   time.Time
	next time.Time
}

// measure reads, when it is due, what the present process uses. What can't be read
// is not known, and no fault of the instance.
func (r *runner) measure(ctx context.Context, c docker.Container) {
	now := time.Now()
	if !r.gauge.due(c.StartedAt, now) {
		return
	}
	read, err := r.h.engine.Usage(ctx, c)
	if err != nil {
		r.setUsage(0, nil)
		return
	}
	r.setUsage(read.Memory, r.gauge.add(read, now))
}

// setUsage keeps, for reports, bytes of memory and cores; 0 and nil: not known.
func (r *runner) setUsage(memory int64, cpu *float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory, r.cpu = memory, cpu
}

// due says whether to read now, and when the next time is. A process that was
// started again is another one: its counters begin anew.
func (g *gauge) due(started, now time.Time) bool {
	if !g.of.Equal(started) {
		*g = gauge{of: started}
	}
	if now.Before(g.next) {
		return false
	}
	g.next = now.Add(usageInterval)
	return true
}

// add takes a reading and gives the cores in use since the one before it, nil for
// the first one.
func (g *gauge) add(read cgroup.Usage, now time.Time) *float64 {
	before, at := g.last, g.at
	g.last, g.at = read, now
	passed := now.Sub(at)
	if at.IsZero() || passed <= 0 || read.CPU < before.CPU {
		g.next = now.Add(firstUsageInterval)
		return nil
	}
	cores := math.Round(float64(read.CPU-before.CPU)/float64(passed)*1000) / 1000
	return &cores
}
