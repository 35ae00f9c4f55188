package redisq

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// entry is a queue entry that this worker took.
type entry struct {
	stream string
	id     string
	job    string
	tree   string
	token  string
}

// fetch takes up to n entries, high priority first, and waits for one when there
// is none. COUNT holds for each stream, so with few slots the streams are asked
// in turn, and the waiting read may, rarely, bring up to two too many.
func (w *Worker) fetch(ctx context.Context, n int) ([]entry, error) {
	if n >= priorities {
		return w.read(ctx, n/priorities, true, w.streams()...)
	}
	var out []entry
	for _, stream := range w.streams() {
		got, err := w.read(ctx, n-len(out), false, stream)
		out = append(out, got...)
		if err != nil || len(out) == n {
			return out, err
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return w.read(ctx, 1, true, w.streams()...)
}

func (w *Worker) streams() []string {
	out := make([]string, priorities)
	for i := range out {
		out[i] = w.keys.stream(i)
	}
	return out
}

func (w *Worker) read(ctx context.Context, count int, block bool, streams ...string) ([]entry, error) {
	args := &redis.XReadGroupArgs{
		Group: group, Consumer: w.opt.ID, Count: int64(count), Block: -1,
		Streams: append([]string{}, streams...),
	}
	for range streams {
		args.Streams = append(args.Streams, ">")
	}
	if block {
		args.Block = w.opt.block
	}
	res, err := w.rdb.XReadGroup(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	var out []entry
	for _, s := range res {
		for _, m := range s.Messages {
			e := entry{stream: s.Stream, id: m.ID}
			e.job, _ = m.Values["job"].(string)
			e.tree, _ = m.Values["tree"].(string)
			e.token, _ = m.Values["token"].(string)
			out = append(out, e)
		}
	}
	return out, err
}

// giveBack returns entries that this worker will not run, in one transaction:
// the keeper queues them under another lease. If it fails the keeper finds them
// taken and silent.
func (w *Worker) giveBack(ctx context.Context, entries []entry) {
	lctx, cancel := w.lasting(ctx)
	defer cancel()
	_, err := w.rdb.TxPipelined(lctx, func(p redis.Pipeliner) error {
		for _, e := range entries {
			values, err := message{Kind: messageBack, Tree: e.tree, Job: e.job, Lease: e.token}.values()
			if err != nil {
				return err
			}
			p.XAdd(lctx, &redis.XAddArgs{Stream: w.keys.out(), Values: values})
			p.XAck(lctx, e.stream, group, e.id)
			p.XDel(lctx, e.stream, e.id)
		}
		return nil
	})
	if err != nil {
		w.opt.Log.Warn("a worker can't give back what it has no room for", "queue", w.opt.Queue.Owner, "error", err)
	}
}

func isNoGroup(err error) bool   { return strings.HasPrefix(err.Error(), "NOGROUP") }
func isBusyGroup(err error) bool { return strings.HasPrefix(err.Error(), "BUSYGROUP") }
