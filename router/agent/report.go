package agent

import (
	"context"
	"maps"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
	"aorta/pacemaker/cluster"
	"aorta/router/openresty"
	"aorta/router/table"
)

// How often the workers are asked: closely while a change is on its way or
// requests on leaving instances are counted down, else now and then. A message
// of a change makes it soon.
const (
	pollClosely    = 10 * time.Millisecond
	pollInterval   = time.Second
	closelyTimeout = 3 * time.Second
)

// report keeps the pacemaker informed until ctx ends.
func (a *Agent) report(ctx context.Context) error {
	changes := a.watch.Subscribe(ctx, table.ChangedChannel)
	defer func() { _ = changes.Close() }()
	r := &reporter{pacemaker: a.cfg.Pacemaker, nginx: a.nginx, quiet: a.replica.Quiet, stuck: a.watcher.Stuck, seen: &a.seen, began: time.Now()}
	return r.run(ctx, changes.Channel())
}

// reporter reports the lowest generation among a router's workers, and what is
// in flight on instances that have left.
type reporter struct {
	pacemaker Pacemaker
	nginx     *openresty.Nginx
	quiet     func(context.Context) (time.Duration, error) // of the replica
	stuck     func() []int
	began     time.Time
	seen      *atomic.Pointer[cluster.RouterReport] // the newest, also one that was not sent
	last      cluster.RouterReport
	sent      time.Time // when last was
	closely   time.Time // until then the workers are asked closely
}

// run reports at once on a change and each second. Messages only wake: a
// change that was missed is seen by the next poll.
func (r *reporter) run(ctx context.Context, changes <-chan *redis.Message) error {
	for {
		r.poll(ctx)
		wait := tick.Until(pollInterval)
		if time.Now().Before(r.closely) {
			wait = pollClosely
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-changes:
			r.closely = time.Now().Add(closelyTimeout)
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (r *reporter) poll(ctx context.Context) {
	report, ok := r.state(ctx)
	if ok {
		r.seen.Store(&report)
	}
	if !ok || equal(report, r.last) && time.Since(r.sent) < pollInterval {
		return
	}
	if len(report.Inflight) > 0 {
		r.closely = time.Now().Add(closelyTimeout)
	}
	if err := r.pacemaker.RouterReport(ctx, report); err == nil {
		r.last, r.sent = report, time.Now()
	}
}

func (r *reporter) state(ctx context.Context) (cluster.RouterReport, bool) {
	ctx, cancel := context.WithTimeout(ctx, pollInterval)
	defer cancel()
	st, err := r.nginx.Status(ctx)
	if err != nil || len(st.Workers) == 0 {
		return cluster.RouterReport{}, false
	}
	report := reportOf(st, r.stuck())
	report.Age = r.age(ctx, st)
	return report, true
}

// age is for how long the slowest worker may lack something: a table that equals the
// replica's is as old as what that heard last.
func (r *reporter) age(ctx context.Context, st openresty.Status) time.Duration {
	synced := st.Synced()
	if synced.IsZero() {
		synced = r.began
	}
	age := max(0, time.Since(synced))
	quiet, err := r.quiet(ctx)
	if err == nil && quiet < 0 {
		quiet = time.Since(r.began)
	}
	return max(age, quiet)
}

func reportOf(st openresty.Status, stuck []int) cluster.RouterReport {
	report := cluster.RouterReport{
		Epoch: st.Epoch, Generation: st.Generation, Workers: len(st.Workers), Inflight: map[cluster.ID]int64{},
		Slowest: st.Slowest(), Stuck: stuck, Lost: st.Lost,
	}
	for id, count := range st.InFlight {
		report.Inflight[cluster.ID(id)] = int64(count)
	}
	for _, w := range st.Workers {
		if !w.Exiting {
			report.Connections += w.Connections
			report.Free += w.Free
		}
		for _, l := range w.Limits {
			report.Limits = addLimit(report.Limits, l)
		}
	}
	return report
}

// addLimit adds up what several workers say of one app or client.
func addLimit(list []cluster.RouterLimit, l openresty.Limit) []cluster.RouterLimit {
	for i, have := range list {
		if have.Kind == l.Kind && have.Name == l.Name {
			list[i].Held += l.Held
			list[i].Refused += l.Refused
			return list
		}
	}
	return append(list, cluster.RouterLimit(l))
}

// equal compares what a pacemaker waits for.
func equal(a, b cluster.RouterReport) bool {
	return a.Epoch == b.Epoch && a.Generation == b.Generation && a.Workers == b.Workers && maps.Equal(a.Inflight, b.Inflight)
}
