package redisq

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// readBlock bounds a waiting read, and with it how long a stop takes.
const readBlock = time.Second

// readCount is how many messages of one stream are worked in at once.
const readCount = 256

// batch is what one read found. The reader waits for done, so that it never
// reads what is being worked in.
type batch struct {
	streams []redis.XStream
	done    chan error
}

// readOuts reads every queue's out stream, always from the beginning: what was
// worked in is deleted, so what is there is to do. No position can go wrong when
// the server comes back older or empty.
func readOuts(ctx context.Context, k *Keeper, to chan<- *batch) error {
	wait := newBackoff()
	for ctx.Err() == nil {
		streams, err := k.rdb.XRead(ctx, &redis.XReadArgs{
			Streams: outStreams(k.places), Count: readCount, Block: k.opt.block,
		}).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err == nil {
			err = hand(ctx, to, streams)
		}
		if err != nil {
			wait.pause(ctx)
			continue
		}
		wait.reset()
	}
	return nil
}

// outStreams are the arguments of the read: all keys, then all positions.
func outStreams(p *places) []string {
	queues := p.allQueues()
	args := make([]string, 0, 2*len(queues)+2)
	args = append(args, keyWake)
	for _, q := range queues {
		args = append(args, keysOf(q).out())
	}
	for range len(args) {
		args = append(args, "0")
	}
	return args
}

// hand gives a batch to the loop and waits until it was worked in. The loop
// reports an error once, where it happens.
func hand(ctx context.Context, to chan<- *batch, streams []redis.XStream) error {
	b := &batch{streams: streams, done: make(chan error, 1)}
	select {
	case to <- b:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-b.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
