package stats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
)

const (
	rollInterval = 10 * time.Second
	rollChunk    = 500 // keys handled in one go
)

// Roll packs what is complete, moves old seconds into minutes and old minutes
// into hours, and trims, until its context ends. Any number of them may run,
// or none for a while: only memory depends on it, no answer. What fails is
// logged and tried again.
func (s *Store) Roll(ctx context.Context) error {
	for {
		if err := s.rollAll(ctx, time.Now()); err != nil && ctx.Err() == nil {
			slog.Warn("the statistics were not rolled up", "err", err)
		}
		if !tick.Next(ctx, rollInterval) {
			return nil
		}
	}
}

// rollAll does everything that is due at now. An app that fails does not keep
// the others from being rolled.
func (s *Store) rollAll(ctx context.Context, now time.Time) error {
	var failed []error
	for shard := range Shards {
		apps, err := s.rdb.ZRangeByScore(ctx, appsKey(shard), due(now)).Result()
		if err != nil {
			return fmt.Errorf("read the due apps of shard %d: %w", shard, err)
		}
		for _, app := range apps {
			if err := s.rollApp(ctx, shard, app, now); err != nil {
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
}

func due(now time.Time) *redis.ZRangeBy {
	return &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10)}
}

func (s *Store) rollApp(ctx context.Context, shard int, app string, now time.Time) error {
	for {
		by := due(now)
		by.Count = rollChunk
		members, err := s.rdb.ZRangeByScore(ctx, dueKey(shard, app), by).Result()
		if err != nil {
			return fmt.Errorf("read what is due of app %s: %w", app, err)
		}
		moved, err := s.rollKeys(ctx, shard, app, members, now)
		if err != nil {
			return fmt.Errorf("roll up app %s: %w", app, err)
		}
		// What was moved may be due at once where it is now. If nothing moved,
		// tailers write to it right now, and the next pass will do.
		if moved == 0 {
			break
		}
	}
	keys := []string{dueKey(shard, app), appsKey(shard)}
	if err := nextScript.Run(ctx, s.rdb, keys, app).Err(); err != nil {
		return fmt.Errorf("note when app %s is due next: %w", app, err)
	}
	return nil
}

// rollKeys moves the named keys and says how many it could. A key that holds
// nonsense is reported and stays, for inspection.
func (s *Store) rollKeys(ctx context.Context, shard int, app string, members []string, now time.Time) (int, error) {
	var slots []slot
	var keys []string
	for _, member := range members {
		if at, ok := parseSlot(member); ok {
			slots, keys = append(slots, at), append(keys, at.key(shard, app))
		}
	}
	if len(keys) == 0 {
		return 0, nil
	}
	values, err := s.rdb.MGet(ctx, keys...).Result()
	if err != nil {
		return 0, fmt.Errorf("read what is due: %w", err)
	}
	var failed []error
	var answers []*redis.Cmd
	_, err = s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, value := range values {
			packed, _ := value.(string)
			m, err := moveOf(slots[i], packed, now.Unix())
			if err != nil {
				failed = append(failed, fmt.Errorf("move %s: %w", keys[i], err))
				continue
			}
			answers = append(answers, m.send(ctx, p, shard, app))
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("move what is due: %w", err)
	}
	moved := 0
	for _, answer := range answers {
		if done, _ := answer.Int(); done == 1 {
			moved++
		}
	}
	return moved, errors.Join(failed...)
}
