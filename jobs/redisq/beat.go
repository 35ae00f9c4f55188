package redisq

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// beat raises every lease's counter three times per LeaseTTL, and checks whether
// the lease is still this worker's, which a lost message may have failed to say.
//
// Silence of Redis cancels nothing: the keeper hears none either, and a late
// outcome is refused by its token.
func (w *Worker) beat(ctx context.Context) {
	tick := time.NewTimer(w.beatInterval())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.begun: // nothing is to do while nothing runs
		}
		for w.working() {
			tick.Reset(w.beatInterval())
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.beatAll(ctx)
			}
		}
	}
}

func (w *Worker) working() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs) > 0
}

func (w *Worker) beatInterval() time.Duration { return jitter(w.opt.LeaseTTL / 3) }

func (w *Worker) beatAll(ctx context.Context) {
	w.beating.Lock()
	defer w.beating.Unlock()
	runs := w.snapshot()
	if len(runs) == 0 {
		return
	}
	states := make([]*redis.SliceCmd, len(runs))
	_, err := w.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, a := range runs {
			states[i] = p.HMGet(ctx, w.keys.job(a.entry.job), "token", "abort")
		}
		return nil
	})
	if err != nil {
		w.opt.Log.Warn("a worker can't check its leases", "queue", w.opt.Queue.Owner, "error", err)
		return
	}
	var held []*attempt
	for i, a := range runs {
		if a.judge(states[i].Val()) {
			held = append(held, a)
		}
	}
	w.raise(ctx, held)
}

// raise sends the beats. Attempts are marked before: a beat whose answer is lost
// may have arrived.
func (w *Worker) raise(ctx context.Context, held []*attempt) {
	_, err := w.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, a := range held {
			a.beaten = true
			p.HIncrBy(ctx, w.keys.beat(), a.entry.token, 1)
		}
		return nil
	})
	if err != nil {
		w.opt.Log.Warn("a worker can't beat", "queue", w.opt.Queue.Owner, "error", err)
		return
	}
	for _, a := range held {
		a.sendProgress(ctx)
	}
}

// judge cancels the handler if the keeper wants it, and says whether the lease
// is still held.
func (a *attempt) judge(state []any) bool {
	token, _ := state[0].(string)
	if token != a.entry.token {
		a.cancel(jobs.ErrLeaseLost)
		return false
	}
	if reason, ok := state[1].(string); ok {
		a.cancel(fmt.Errorf("%w: %s", jobs.ErrAborted, reason))
	}
	return true
}

func (w *Worker) snapshot() []*attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]*attempt, 0, len(w.runs))
	for _, a := range w.runs {
		out = append(out, a)
	}
	return out
}

// subscriptionCheck is how often a silent subscription is asked whether it
// lives; nothing depends on it.
const subscriptionCheck = 15 * time.Second

// listen cancels handlers as soon as the keeper says so. It only wakes: the beat
// finds out what was missed.
func (w *Worker) listen(ctx context.Context) {
	sub := w.rdb.Subscribe(ctx, w.keys.control())
	defer func() { _ = sub.Close() }()
	messages := sub.Channel(redis.WithChannelHealthCheckInterval(subscriptionCheck))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			w.obey(m.Payload)
		}
	}
}

func (w *Worker) obey(payload string) {
	var c control
	if json.Unmarshal([]byte(payload), &c) != nil {
		return
	}
	a := w.lookup(c.Token)
	if a == nil {
		return
	}
	if c.Why == "lost" {
		a.cancel(jobs.ErrLeaseLost)
		return
	}
	a.cancel(fmt.Errorf("%w: %s", jobs.ErrAborted, c.Reason))
}
