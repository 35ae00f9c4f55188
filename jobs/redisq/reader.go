package redisq

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// readBlock bounds a waiting read, and so how long a connection that died
// without a word goes unnoticed.
const readBlock = 5 * time.Second

// readCount is how many messages of one stream are worked in at once. They may be
// nonsense of as many bytes as the server takes in one command.
const readCount = 64

// batch is what one read found. The reader waits for done, so that it never
// reads what is being worked in.
type batch struct {
	streams []redis.XStream
	done    chan error
}

// reader reads the queues' out streams for the loop.
type reader struct {
	*Keeper
	rdb redis.UniversalClient // ends with the reader
	to  chan<- *batch
}

// readOuts reads every queue's out stream until ctx ends, always from the
// beginning: what was worked in is deleted, so what is there is to do. No
// position can go wrong when the server comes back older or empty.
func readOuts(ctx context.Context, k *Keeper, to chan<- *batch) error {
	rdb, err := dedicated(k.rdb)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = rdb.Close() })
	defer func() {
		if stop() {
			_ = rdb.Close()
		}
	}()
	r := reader{Keeper: k, rdb: rdb, to: to}
	if sharded(rdb) {
		return r.readEach(ctx)
	}
	r.read(ctx, func() []string { return outStreams(k.locations) })
	return nil
}

// readEach has one reader for each stream: they lie on several servers.
func (r reader) readEach(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	reading := map[string]bool{}
	for ctx.Err() == nil {
		grown := r.locations.grown.C()
		for _, stream := range outStreams(r.locations)[1:] { // no worker has to be woken
			if !reading[stream] {
				reading[stream] = true
				g.Go(func() error {
					r.read(ctx, func() []string { return []string{stream} })
					return nil
				})
			}
		}
		select {
		case <-ctx.Done():
		case <-grown:
		}
	}
	return g.Wait()
}

// read delivers what the named streams hold until ctx ends.
func (r reader) read(ctx context.Context, streams func() []string) {
	wait := newBackoff()
	for ctx.Err() == nil {
		names := streams()
		found, err := r.rdb.XRead(ctx, &redis.XReadArgs{
			Streams: fromTheStart(names), Count: readCount, Block: r.opt.block,
		}).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err == nil {
			err = r.deliver(ctx, found)
		}
		if err != nil {
			wait.Pause(ctx)
			continue
		}
		wait.Reset()
	}
}

// outStreams names what there is to read, the one that wakes the reader first.
func outStreams(x *locations) []string {
	names := []string{keyWake}
	for _, q := range x.allQueues() {
		names = append(names, keysOf(q).out())
	}
	return names
}

// fromTheStart are the arguments of the read: all keys, then all positions.
func fromTheStart(names []string) []string {
	args := append([]string{}, names...)
	for range names {
		args = append(args, "0")
	}
	return args
}

// deliver gives a batch to the loop and waits until it was worked in. The loop
// reports an error once, where it happens.
func (r reader) deliver(ctx context.Context, streams []redis.XStream) error {
	b := &batch{streams: streams, done: make(chan error, 1)}
	select {
	case r.to <- b:
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
