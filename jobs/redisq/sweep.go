package redisq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/duration"
	"aorta/jobs"
)

// lateBeats is how many LeaseTTLs after a lease was taken back its worker's
// beats are purged, so that they leave no key on a queue at rest.
const lateBeats = 10

// maxPending bounds how many taken entries of one stream a sweep reads.
const maxPending = 1000

// sweep finds what no message reports: workers that fell silent, entries that
// vanished, time limits that passed, another keeper, an emptied server.
// It judges by this process's monotonic clock only.
func (l *loop) sweep(ctx context.Context) error {
	p := l.newPass()
	l.forgiveOwnAbsence(p.now)
	seen, err := l.readQueues(ctx, p.now)
	if err != nil {
		return err
	}
	for _, ls := range l.leases {
		p.inspect(ls, seen)
	}
	return l.finish(ctx, p)
}

// forgiveOwnAbsence starts all clocks anew after this process did not run for a
// while: silence in that time proves nothing.
func (l *loop) forgiveOwnAbsence(now time.Time) {
	if !l.lastSweep.IsZero() && now.Sub(l.lastSweep) > l.opt.LeaseTTL {
		for _, ls := range l.leases {
			ls.seen, ls.started, ls.missing = now, now, time.Time{}
		}
	}
	l.lastSweep = now
}

// snapshot is what a sweep saw of the queues.
type snapshot struct {
	beats map[string]string // lease token → counter
	taken map[string]bool   // stream + entry: with a worker
	first map[string]string // stream → its first entry, empty if it has none
}

// query is one sweep's reading, on its way.
type query struct {
	beats   map[jobs.Queue]*redis.MapStringStringCmd
	pending map[string]*redis.XPendingExtCmd
	heads   map[string]*redis.XMessageSliceCmd
}

// readQueues reads the beats of every queue that has leases, and the streams of those
// whose entries have been waiting for long.
func (l *loop) readQueues(ctx context.Context, now time.Time) (*snapshot, error) {
	pipe := l.rdb.Pipeline()
	own := pipe.HGet(ctx, keyOwner, "owner")
	g := query{
		beats:   map[jobs.Queue]*redis.MapStringStringCmd{},
		pending: map[string]*redis.XPendingExtCmd{},
		heads:   map[string]*redis.XMessageSliceCmd{},
	}
	for _, ls := range l.leases {
		g.ask(ctx, pipe, ls, now.Sub(ls.seen) >= l.opt.LeaseTTL/2)
	}
	for q, until := range l.late {
		if now.After(until) {
			delete(l.late, q)
		}
		g.askBeats(ctx, pipe, q)
	}
	_, _ = pipe.Exec(ctx) // each command's own error is checked below
	owner, err := own.Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("check that the jobs are still this keeper's: %w", err)
	}
	if owner != l.opt.Owner {
		return nil, fmt.Errorf("check that the jobs are still this keeper's: %w", errAnew)
	}
	return l.see(ctx, g)
}

// ask adds the reading for one lease.
func (g *query) ask(ctx context.Context, pipe redis.Pipeliner, ls *lease, old bool) {
	g.askBeats(ctx, pipe, ls.queue)
	stream := keysOf(ls.queue).stream(ls.priority)
	if ls.running || !old || g.heads[stream] != nil {
		return
	}
	g.pending[stream] = pipe.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: stream, Group: group, Start: "-", End: "+", Count: maxPending,
	})
	g.heads[stream] = pipe.XRangeN(ctx, stream, "-", "+", 1)
}

func (g *query) askBeats(ctx context.Context, pipe redis.Pipeliner, q jobs.Queue) {
	if g.beats[q] == nil {
		g.beats[q] = pipe.HGetAll(ctx, keysOf(q).beat())
	}
}

func (l *loop) see(ctx context.Context, g query) (*snapshot, error) {
	s := &snapshot{beats: map[string]string{}, taken: map[string]bool{}, first: map[string]string{}}
	for q, cmd := range g.beats {
		if cmd.Err() != nil {
			return nil, fmt.Errorf("read the beats of %s: %w", q.Owner, cmd.Err())
		}
		maps.Copy(s.beats, cmd.Val())
		l.purgeBeats(ctx, q, cmd.Val())
	}
	for stream, cmd := range g.pending {
		// Without a group nothing was taken; the worker makes one.
		if err := cmd.Err(); err != nil && !strings.HasPrefix(err.Error(), "NOGROUP") {
			return nil, fmt.Errorf("read who has entries of %s: %w", stream, err)
		}
		for _, e := range cmd.Val() {
			s.taken[stream+" "+e.ID] = true
		}
	}
	for stream, cmd := range g.heads {
		if cmd.Err() != nil {
			return nil, fmt.Errorf("read the head of %s: %w", stream, cmd.Err())
		}
		s.first[stream] = ""
		if len(cmd.Val()) > 0 {
			s.first[stream] = cmd.Val()[0].ID
		}
	}
	return s, nil
}

// purgeBeats deletes counters of leases that are over: a late worker's beat
// makes one again. A failure is repeated by the next sweep.
func (l *loop) purgeBeats(ctx context.Context, q jobs.Queue, beats map[string]string) {
	live := map[string]bool{}
	for _, ls := range l.leases {
		live[ls.token] = true
	}
	var dead []string
	for token := range beats {
		if !live[token] {
			dead = append(dead, token)
		}
	}
	if len(dead) > 0 {
		_ = l.rdb.HDel(ctx, keysOf(q).beat(), dead...).Err()
	}
}

// inspect judges one lease.
func (p *pass) inspect(ls *lease, s *snapshot) {
	if n := s.beats[ls.token]; n != ls.beat {
		ls.beat, ls.seen = n, p.now
	}
	p.inspectEntry(ls, s)
	ttl := p.opt.LeaseTTL
	t := p.trees[ls.tree]
	switch {
	case t == nil:
	case (ls.running || ls.delivered) && p.now.Sub(ls.seen) > ttl:
		p.lose(t, ls)
	case ls.running && p.overTime(t.Jobs[ls.job], ls):
		p.expire(t, ls)
	case !ls.missing.IsZero() && p.now.Sub(ls.missing) > ttl:
		p.requeue(t, ls)
	}
}

// inspectEntry finds a queued job's entry: waiting, with a worker that has
// said nothing yet, or vanished.
func (p *pass) inspectEntry(ls *lease, s *snapshot) {
	stream := keysOf(ls.queue).stream(ls.priority)
	first, read := s.first[stream]
	if ls.running || ls.entry == "" || !read {
		return
	}
	switch {
	case s.taken[stream+" "+ls.entry]:
		if !ls.delivered {
			ls.delivered, ls.seen = true, p.now
		}
		ls.missing = time.Time{}
	case first == "" || entryBefore(ls.entry, first):
		if ls.missing.IsZero() {
			ls.missing = p.now
		}
	default:
		ls.delivered, ls.missing = false, time.Time{}
	}
}

func (p *pass) overTime(j *jobs.Job, ls *lease) bool {
	limit := p.policy(j.Kind).Timeout
	return limit > 0 && p.now.Sub(ls.started) > limit+p.opt.LeaseTTL
}

// lose takes the job from a worker that fell silent.
func (p *pass) lose(t *tree, ls *lease) {
	p.stats.lost.Add(1)
	p.opt.Log.Warn("a worker that has a job fell silent", "job", ls.job, "worker", t.Jobs[ls.job].Worker)
	p.revoke(t, ls)
	_ = t.Lose(ls.job, p.policy(t.Jobs[ls.job].Kind), p.now)
}

// expire takes the job from a worker that does not keep the time limit itself.
func (p *pass) expire(t *tree, ls *lease) {
	j := t.Jobs[ls.job]
	policy := p.policy(j.Kind)
	p.revoke(t, ls)
	_ = t.Finish(ls.job, jobs.Outcome{
		Kind:  jobs.OutcomeFailed,
		Error: fmt.Sprintf("%s of %s", jobs.ErrTimeout, duration.Text(policy.Timeout)),
	}, policy, p.moment())
}

// requeue puts a job whose entry vanished into its queue again, under another
// lease. A kind that runs at most once may have run.
func (p *pass) requeue(t *tree, ls *lease) {
	if p.policy(t.Jobs[ls.job].Kind).AtMostOnce {
		p.lose(t, ls)
		return
	}
	p.revoke(t, ls)
	_ = t.Unqueue(ls.job, p.now)
}

func (p *pass) revoke(t *tree, ls *lease) {
	p.touched[t.ID] = t
	p.revoked = append(p.revoked, ls)
}

// entryBefore compares two stream ids.
func entryBefore(a, b string) bool {
	am, as := splitEntry(a)
	bm, bs := splitEntry(b)
	return am < bm || am == bm && as < bs
}

func splitEntry(id string) (ms, seq uint64) {
	_, _ = fmt.Sscanf(id, "%d-%d", &ms, &seq)
	return ms, seq
}
