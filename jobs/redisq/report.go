package redisq

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// report writes the outcome and gives the entry back in one transaction: an
// entry that is gone has its outcome on the way. It is repeated until it
// succeeds; a worker that stops gives up after StopTimeout, and the job is then
// taken for lost.
func (w *Worker) report(ctx context.Context, a *attempt, o jobs.Outcome) {
	rctx, cancel := w.lasting(ctx)
	defer cancel()
	a.flushes.Wait()
	w.forget(a)
	o.Progress = a.popProgress()
	lines := a.unsent()
	values, err := a.values(message{Kind: messageDone, Outcome: o})
	if err != nil {
		w.opt.Log.Error("a worker can't encode an outcome", "job", a.entry.job, "error", err)
		return
	}
	err = w.persist(rctx, "say how job "+a.entry.job+" ended", func(ctx context.Context) error {
		_, err := w.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			a.writeLines(p, lines)
			p.XAdd(ctx, &redis.XAddArgs{Stream: w.keys.out(), Values: values})
			p.XAck(ctx, a.entry.stream, group, a.entry.id)
			p.XDel(ctx, a.entry.stream, a.entry.id)
			if a.beaten {
				p.HDel(ctx, w.keys.beat(), a.entry.token)
			}
			return nil
		})
		if errors.Is(err, redis.Nil) {
			return nil // the log was deleted: the lease is over, and so the keeper will judge
		}
		return err
	})
	if err != nil {
		w.opt.Log.Warn("a worker can't say how a job ended", "job", a.entry.job, "error", err)
	}
}

// lasting is a context that goes on for StopTimeout after ctx has ended.
func (w *Worker) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		late, end := context.WithTimeout(out, w.opt.StopTimeout)
		defer end()
		<-late.Done()
		cancel()
	})
	return out, func() { stop(); cancel() }
}
