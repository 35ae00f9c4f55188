package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/router"
)

// maxAnnounced bounds the names in one message; above it routers find the
// names in the list of changes.
const maxAnnounced = 1000

// replaceBatch is how many records of a whole load go into one script, so that
// Redis answers others in between.
const replaceBatch = 500

// Publisher writes the table: the pacemaker's side. Only one process can
// publish at a time, the one that claimed the highest epoch; every write checks
// that in the same script. After an error that is none of this package's, the
// write may or may not have happened: read Highest before the next one.
type Publisher struct {
	rdb     redis.UniversalClient
	cluster string
	owner   string

	mu    sync.Mutex // guards epoch
	epoch uint64     // as claimed; 0 before
}

// NewPublisher publishes for one cluster under the owner's process id. The
// client must not repeat commands by itself (MaxRetries -1).
func NewPublisher(rdb redis.UniversalClient, cluster, owner string) *Publisher {
	return &Publisher{rdb: rdb, cluster: cluster, owner: owner}
}

// Claim makes this process the owner under the epoch. A lower epoch, and an
// epoch that another owner holds, get ErrFenced.
func (p *Publisher) Claim(ctx context.Context, epoch uint64) error {
	answer, err := claimScript.Run(ctx, p.rdb, []string{metaKey}, p.cluster, epoch, p.owner).Int64()
	if err != nil {
		return fmt.Errorf("claim the routing table: %w", err)
	}
	if answer < 0 {
		return fmt.Errorf("claim the routing table with epoch %d: %w", epoch, refusal(answer))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch = epoch
	return nil
}

// Highest is the highest pair that the Redis has seen, published or claimed:
// the zero pair for an empty one. A new epoch must be above it.
func (p *Publisher) Highest(ctx context.Context) (router.Pair, error) {
	m, err := readMeta(ctx, p.rdb)
	if err != nil {
		return router.Pair{}, err
	}
	if m.ownerEpoch > m.pair.Epoch {
		return router.Pair{Epoch: m.ownerEpoch}, nil
	}
	return m.pair, nil
}

// Publish writes the changed records and the tombstones of the removed ones
// under the pair, in one script, and tells the routers.
func (p *Publisher) Publish(ctx context.Context, pair router.Pair, changed []router.Record, removed []string) error {
	batch := change{pair: pair, last: true}
	for _, r := range changed {
		if err := batch.put(r); err != nil {
			return fmt.Errorf("publish routes: %w", err)
		}
	}
	for _, host := range removed {
		batch.remove(host, time.Now())
	}
	return p.write(ctx, batch)
}

// Load reads the whole table. A *BrokenError comes with the good part of it.
func (p *Publisher) Load(ctx context.Context) (router.Table, router.Pair, error) {
	return Read(ctx, p.rdb, p.cluster)
}

// Replace makes the Redis hold exactly this table under the pair: on start, and
// when the master came back empty or older. Records go in batches; routers take
// the whole under its pair with the last one.
func (p *Publisher) Replace(ctx context.Context, pair router.Pair, table router.Table) error {
	held, _, err := p.Load(ctx)
	var broken *BrokenError
	if err != nil && !errors.As(err, &broken) && !errors.Is(err, ErrUnclaimed) {
		return fmt.Errorf("replace the routing table: %w", err)
	}
	_, removed := router.Diff(held, table)
	if broken != nil {
		for host := range broken.Causes {
			if _, kept := table[host]; !kept {
				removed = append(removed, host)
			}
		}
	}
	batch := change{pair: pair}
	for _, r := range table {
		if err := batch.put(r); err != nil {
			return fmt.Errorf("replace the routing table: %w", err)
		}
		if len(batch.names) == replaceBatch {
			if err := p.write(ctx, batch); err != nil {
				return err
			}
			batch = change{pair: pair}
		}
	}
	for _, host := range removed {
		batch.remove(host, time.Now())
	}
	batch.last = true
	return p.write(ctx, batch)
}

// DropTombstones removes the tombstones that are older than a day at now.
func (p *Publisher) DropTombstones(ctx context.Context, now time.Time) error {
	oldest := now.Add(-tombstoneLife).Unix()
	return eachBatch(ctx, p.rdb, func(names []string, texts []any) error {
		keys := []string{metaKey, changesKey}
		args := []any{p.cluster, p.claimed(), p.owner}
		for i, text := range texts {
			s, _ := text.(string)
			if t, ok := parseTombstone(s); ok && t.At <= oldest {
				keys = append(keys, recordKey(names[i]))
				args = append(args, names[i], s)
			}
		}
		if len(keys) == 2 {
			return nil
		}
		answer, err := dropScript.Run(ctx, p.rdb, keys, args...).Int64()
		if err == nil && answer < 0 {
			err = refusal(answer)
		}
		if err != nil {
			return fmt.Errorf("drop old tombstones: %w", err)
		}
		return nil
	})
}

func (p *Publisher) write(ctx context.Context, c change) error {
	announced := c.names
	if len(announced) > maxAnnounced {
		announced = nil
	}
	names, err := json.Marshal(append([]string{}, announced...))
	if err != nil {
		return fmt.Errorf("publish routes: %w", err)
	}
	keys := []string{metaKey, changesKey}
	last := 0
	if c.last {
		last = 1
	}
	args := []any{p.cluster, c.pair.Epoch, p.owner, c.pair.Generation, last, ChangedChannel, names}
	for i, name := range c.names {
		keys = append(keys, recordKey(name))
		args = append(args, name, c.texts[i])
	}
	answer, err := publishScript.Run(ctx, p.rdb, keys, args...).Int64()
	if err != nil {
		return fmt.Errorf("publish routes %s: %w", c.pair, err)
	}
	if answer <= 0 {
		return fmt.Errorf("publish routes %s: %w", c.pair, refusal(answer))
	}
	return nil
}

func (p *Publisher) claimed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strconv.FormatUint(p.epoch, 10)
}

func refusal(answer int64) error {
	switch answer {
	case answerUnclaimed:
		return ErrUnclaimed
	case answerStale:
		return ErrStale
	case answerForeign:
		return ErrForeign
	case answerFenced:
		return ErrFenced
	default:
		return fmt.Errorf("script answered %d", answer)
	}
}
