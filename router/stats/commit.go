package stats

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// never is the due time of what the roller leaves alone.
const never = "+inf"

// inboxSize is how many bytes may lie in one inbox to which something is added.
const inboxSize = 1 << 20

// Positions are how far the router's log is counted, by shard.
func (s *Store) Positions(ctx context.Context, router string) ([Shards]Position, error) {
	var all [Shards]Position
	var answers [Shards]*redis.StringCmd
	_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for shard := range answers {
			answers[shard] = p.Get(ctx, posKey(shard, router))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return all, fmt.Errorf("read the positions of router %s: %w", router, err)
	}
	for shard, answer := range answers {
		text, err := answer.Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return all, fmt.Errorf("read the positions of router %s: %w", router, err)
		}
		if all[shard], err = parsePosition(text); err != nil {
			return all, err
		}
	}
	return all, nil
}

// Commit puts the batch into the router's inbox, where a Taker counts it, and moves
// the router's position in one step, on the condition that the position is still from,
// else ErrMoved, and that there is room, else ErrFull: then nothing is changed. After any other error it may have happened or not: a repeated
// Commit then counts once or answers ErrMoved. A batch must move the position.
func (s *Store) Commit(ctx context.Context, shard int, router string, from, to Position, b *Batch) error {
	if shard < 0 || shard >= Shards {
		return fmt.Errorf("commit to shard %d: there are 0 to %d", shard, Shards-1)
	}
	if b.Len() > 0 && from.Equal(to) {
		return errors.New("commit a batch without moving the position: it could be counted twice")
	}
	if err := b.within(shard); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	before, err := from.text()
	if err != nil {
		return err
	}
	after, err := to.text()
	if err != nil {
		return err
	}
	keys := []string{posKey(shard, router), inboxKey(shard, router)}
	done, err := commitScript.Run(ctx, s.rdb, keys, before, after, b.entry(), inboxSize).Int()
	switch {
	case err != nil:
		return fmt.Errorf("commit shard %d of router %s: %w", shard, router, err)
	case done == 0:
		return ErrMoved
	case done == 2:
		return ErrFull
	}
	return nil
}

// write is the count script's arguments, while they are put together.
type write struct {
	shard int
	keys  []string
	args  []any
}

func (w *write) op(key, what string, times int) {
	w.keys = append(w.keys, key)
	w.args = append(w.args, what, times)
}

func (w *write) leaves(l leaves) {
	for app, slots := range l.seconds {
		first := int64(-1)
		for at, seconds := range slots {
			w.op(at.key(w.shard, app), "append", 1)
			w.args = append(w.args, seconds.pack(levels[0], at.start))
		}
		w.op(dueKey(w.shard, app), "due", len(slots))
		for at := range slots {
			due := levels[0].packAt(at.start)
			w.args = append(w.args, due, at.member())
			if first < 0 || due < first {
				first = due
			}
		}
		if first >= 0 {
			w.op(appsKey(w.shard), "first", 1)
			w.args = append(w.args, first, app)
		}
	}
	for app, c := range l.totals {
		w.total(totalKey(w.shard, app), *c)
	}
	for key, c := range l.release {
		app, release := key[0], key[1]
		w.total(releaseTotalKey(w.shard, app, release), *c)
		w.op(dueKey(w.shard, app), "due", 1)
		w.args = append(w.args, never, totalMember+release)
	}
}

func (w *write) total(key string, c Counters) {
	fields := totalFields(c)
	w.op(key, "add", len(fields))
	for _, f := range fields {
		w.args = append(w.args, f.name, f.n)
	}
}

// field is one counter of a total's hash.
type field struct {
	name string
	n    uint64
}

// totalFields are the counters that are not 0: requests, attempts, bytes, s1 to
// s5 by class, h0 to h255 by bucket.
func totalFields(c Counters) []field {
	all := []field{{"requests", c.Requests}, {"attempts", c.Attempts}, {"bytes", c.Bytes}}
	for i, n := range c.Status[1:] {
		all = append(all, field{"s" + strconv.Itoa(i+1), n})
	}
	for _, b := range c.Latency {
		all = append(all, field{"h" + strconv.Itoa(int(b.Index)), b.N})
	}
	kept := all[:0]
	for _, f := range all {
		if f.n > 0 {
			kept = append(kept, f)
		}
	}
	return kept
}
