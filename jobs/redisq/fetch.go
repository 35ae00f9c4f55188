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
	from := w.rdb
	if block {
		args.Block, from = w.opt.block, w.waits
	}
	res, err := from.XReadGroup(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return entriesOf(res), err
}

func entriesOf(streams []redis.XStream) []entry {
	var out []entry
	for _, s := range streams {
		for _, m := range s.Messages {
			e := entry{stream: s.Stream, id: m.ID}
			e.job, _ = m.Values["job"].(string)
			e.tree, _ = m.Values["tree"].(string)
			e.token, _ = m.Values["token"].(string)
			out = append(out, e)
		}
	}
	return out
}

// returnUnbegun gives back what this worker was handed and does not run: the
// last read may have been cut after the server had answered it.
func (w *Worker) returnUnbegun(ctx context.Context) {
	lctx, cancel := w.lasting(ctx)
	defer cancel()
	args := &redis.XReadGroupArgs{Group: group, Consumer: w.opt.ID, Block: -1, Streams: w.streams()}
	for range priorities {
		args.Streams = append(args.Streams, "0")
	}
	res, err := w.rdb.XReadGroup(lctx, args).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		w.opt.Log.Warn("a worker that stops can't read what was delivered to it", "queue", w.opt.Queue.Owner, "error", err)
		return
	}
	var unbegun []entry
	for _, e := range entriesOf(res) {
		if e.token != "" && w.lookup(e.token) == nil {
			unbegun = append(unbegun, e)
		}
	}
	if len(unbegun) > 0 {
		w.giveBack(ctx, unbegun)
	}
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
