package stats

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
)

const (
	takeInterval = 500 * time.Millisecond
	sweepEvery   = 10 * time.Minute
	// takeSize is how many seconds of things are taken of one router at a time: more
	// waits for the next, so that no router keeps the others' from being counted.
	takeSize = 2 * MaxSize
	// routerShare is how many bytes may lie in one router's inboxes. Its tailer keeps
	// below; who is beyond it is no tailer.
	routerShare = 32 << 20
	// maxPosition is how long a position may be.
	maxPosition = 64 << 10
	// shutFor is for how long a router is shut out that was beyond its share.
	shutFor = 10 * time.Minute
)

// TakerConfig is what a Taker knows of the cluster.
type TakerConfig struct {
	// Routers are the ids of the routers that may count.
	Routers func(context.Context) ([]string, error)
	Names   Names // nil: there is whatever a router names
	// Shut gives those routers no way in until it is called with others; nil: there
	// is none to take away.
	Shut func(ctx context.Context, routers []string) error
	Log  *slog.Logger // nil: slog.Default
}

// Taker counts what routers put into their inboxes: what of it there is, and as much at
// a time as no router can use to keep others from being counted. One is enough;
// two count nothing twice.
type Taker struct {
	store *Store
	cfg   TakerConfig
	known *known
	swept time.Time
	seen  map[string]bool // routers that may have counted what is not taken yet; nil before the first pass

	mu   sync.Mutex           // guards shut
	shut map[string]time.Time // until when, by router
}

// NewTaker makes one; Run starts it.
func NewTaker(s *Store, cfg TakerConfig) *Taker {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Taker{store: s, cfg: cfg, known: newKnown(cfg.Names), swept: time.Now(), shut: map[string]time.Time{}}
}

// Run takes until its context ends. What fails is logged and tried again.
func (t *Taker) Run(ctx context.Context) error {
	for {
		if err := t.Take(ctx, time.Now()); err != nil && ctx.Err() == nil {
			t.cfg.Log.Warn("what routers counted was not taken", "err", err)
		}
		if !tick.Next(ctx, takeInterval) {
			return nil
		}
	}
}

// Shut are the routers that are shut out, since they put into the statistics more than
// any tailer does, or something else.
func (t *Taker) Shut() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.shut))
}

// Take counts once what lies there. A router at which something fails does not keep
// the others from being counted.
func (t *Taker) Take(ctx context.Context, now time.Time) error {
	routers, err := t.routers(ctx)
	if err != nil {
		return err
	}
	t.known.begin()
	waiting, err := t.waiting(ctx, routers)
	if err != nil {
		return err
	}
	failed := []error{t.letIn(ctx, now)}
	for i, router := range routers {
		failed = append(failed, t.takeRouter(ctx, router, waiting[i], now))
		if !t.seen[router] && waiting[i].inboxes() == 0 {
			delete(t.seen, router)
		}
	}
	if now.Sub(t.swept) >= sweepEvery {
		t.swept = now
		failed = append(failed, t.sweep(ctx, now))
	}
	return errors.Join(failed...)
}

// routers are those that count, and those of before of which something is left: one that
// was removed has counted until then.
func (t *Taker) routers(ctx context.Context) ([]string, error) {
	counting, err := t.cfg.Routers(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the routers: %w", err)
	}
	if t.seen == nil {
		if t.seen, err = t.store.inboxes(ctx); err != nil {
			return nil, err
		}
	}
	for router := range t.seen {
		t.seen[router] = false
	}
	for _, router := range counting {
		t.seen[router] = true
	}
	return slices.Sorted(maps.Keys(t.seen)), nil
}

// inboxes are the routers that have one.
func (s *Store) inboxes(ctx context.Context) (map[string]bool, error) {
	found := map[string]bool{}
	for shard := range Shards {
		start := inboxKey(shard, "")
		keys := s.rdb.Scan(ctx, 0, start+"*", 1000).Iterator()
		for keys.Next(ctx) {
			found[strings.TrimPrefix(keys.Val(), start)] = true
		}
		if err := keys.Err(); err != nil {
			return nil, fmt.Errorf("list the inboxes: %w", err)
		}
	}
	return found, nil
}

// bytes are how many lie in a router's keys, by shard.
type bytes struct{ inbox, position [Shards]int64 }

func (b bytes) inboxes() (sum int64) {
	for _, n := range b.inbox {
		sum += n
	}
	return sum
}

// overfull says that no tailer has written that.
func (b bytes) overfull() bool {
	sum, longest := b.inboxes(), int64(0)
	for _, n := range b.position {
		longest = max(longest, n)
	}
	return sum > routerShare || longest > maxPosition
}

// waiting asks for all of them at once.
func (t *Taker) waiting(ctx context.Context, routers []string) ([]bytes, error) {
	var asked []*redis.IntCmd
	_, err := t.store.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, router := range routers {
			for shard := range Shards {
				asked = append(asked, p.StrLen(ctx, inboxKey(shard, router)), p.StrLen(ctx, posKey(shard, router)))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask how much routers have counted: %w", err)
	}
	all := make([]bytes, len(routers))
	for i, cmd := range asked {
		of := &all[i/(2*Shards)]
		if shard := i / 2 % Shards; i%2 == 0 {
			of.inbox[shard] = cmd.Val()
		} else {
			of.position[shard] = cmd.Val()
		}
	}
	return all, nil
}

func (t *Taker) takeRouter(ctx context.Context, router string, there bytes, now time.Time) error {
	if there.overfull() {
		return t.empty(ctx, router, there, now)
	}
	left := room{size: takeSize, bytes: maxEntrySize}
	for i := range Shards { // another one first each time
		shard := (i + int(now.UnixMilli()/takeInterval.Milliseconds())) % Shards
		if there.inbox[shard] == 0 || left.size <= 0 || left.bytes <= 0 {
			continue
		}
		err := t.takeInbox(ctx, shard, router, &left, now)
		if errors.Is(err, errEntry) {
			return t.empty(ctx, router, there, now)
		}
		if err != nil {
			return fmt.Errorf("count shard %d of router %s: %w", shard, router, err)
		}
	}
	return nil
}

// room is what is taken of one router at a time, at least an entry.
type room struct{ size, bytes int }

// takeInbox counts the entries at the front of one inbox, as far as there is room.
func (t *Taker) takeInbox(ctx context.Context, shard int, router string, left *room, now time.Time) error {
	key := inboxKey(shard, router)
	inbox, err := t.store.rdb.GetRange(ctx, key, 0, maxEntrySize+binary.MaxVarintLen64).Result()
	if err != nil || inbox == "" { // another one took it
		return err
	}
	b := NewBatch()
	front, err := b.readFront(inbox, *left)
	if err != nil || front == "" {
		return err
	}
	left.size -= b.Size()
	left.bytes -= len(front)
	known, err := t.known.of(ctx, shard, b, now)
	if err != nil {
		return err
	}
	w := write{shard: shard, keys: []string{key}, args: []any{front}}
	w.leaves(known.spread(router))
	return countScript.Run(ctx, t.store.rdb, w.keys, w.args...).Err()
}

// readFront adds what entries at the front of an inbox say, and returns that front.
func (b *Batch) readFront(inbox string, left room) (string, error) {
	rest := inbox
	for b.Size() < left.size && len(inbox)-len(rest) < left.bytes {
		body, after, whole, err := cut(rest)
		if err != nil {
			return "", err
		}
		if !whole && rest == inbox {
			return "", errEntry // a whole one would be there: it is put there in one step
		}
		if !whole {
			break
		}
		if err := b.read(body); err != nil {
			return "", err
		}
		rest = after
	}
	return inbox[:len(inbox)-len(rest)], nil
}

// empty takes a router that wrote more than its share, or what no tailer writes, its way
// in, and deletes what it wrote.
func (t *Taker) empty(ctx context.Context, router string, there bytes, now time.Time) error {
	t.mu.Lock()
	t.shut[router] = now.Add(shutFor)
	t.mu.Unlock()
	t.cfg.Log.Warn("a router has written into the statistics what no router does, and that is deleted; it is shut out for a while", "router", router, "for", shutFor)
	if err := t.sayShut(ctx); err != nil {
		return err
	}
	_, err := t.store.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for shard := range Shards {
			p.Unlink(ctx, inboxKey(shard, router))
			if there.position[shard] > maxPosition {
				p.Unlink(ctx, posKey(shard, router))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("empty the inboxes of router %s: %w", router, err)
	}
	return nil
}

// letIn ends what empty began.
func (t *Taker) letIn(ctx context.Context, now time.Time) error {
	t.mu.Lock()
	before := len(t.shut)
	maps.DeleteFunc(t.shut, func(_ string, until time.Time) bool { return now.After(until) })
	after := len(t.shut)
	t.mu.Unlock()
	if before == after {
		return nil
	}
	return t.sayShut(ctx)
}

func (t *Taker) sayShut(ctx context.Context) error {
	if t.cfg.Shut == nil {
		return nil
	}
	if err := t.cfg.Shut(ctx, t.Shut()); err != nil {
		return fmt.Errorf("shut out of the statistics who is beyond its share: %w", err)
	}
	return nil
}
