package stats

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
)

// Totals is everything counted since the app was made. It never falls, until
// Forget. What is not known counts nothing.
func (s *Store) Totals(ctx context.Context, app string) (Counters, error) {
	return s.total(ctx, totalKey(ShardOf(app), orNoApp(app)))
}

// ReleaseTotals is the same of one release of the app.
func (s *Store) ReleaseTotals(ctx context.Context, app, release string) (Counters, error) {
	return s.total(ctx, releaseTotalKey(ShardOf(app), orNoApp(app), release))
}

func (s *Store) total(ctx context.Context, key string) (Counters, error) {
	fields, err := s.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return Counters{}, fmt.Errorf("read the totals: %w", err)
	}
	var c Counters
	for name, text := range fields {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Counters{}, fmt.Errorf("read %s of %s: %w", name, key, err)
		}
		c.setField(name, uint64(max(n, 0))) // below 0 is a router's nonsense
	}
	slices.SortFunc(c.Latency, func(a, b Bucket) int { return cmp.Compare(a.Index, b.Index) })
	return c, nil
}

// setField takes over one field of totalFields; unknown ones are ignored, so
// that a later version may have more.
func (c *Counters) setField(name string, n uint64) {
	switch name {
	case "": // a router's nonsense
	case "requests":
		c.Requests = n
	case "attempts":
		c.Attempts = n
	case "bytes":
		c.Bytes = n
	default:
		i, err := strconv.ParseUint(name[1:], 10, 8)
		switch {
		case err != nil:
		case name[0] == 's' && i < uint64(len(c.Status)):
			c.Status[i] = n
		case name[0] == 'h' && i < uint64(len(bucketLow)):
			c.Latency = append(c.Latency, Bucket{uint8(i), n})
		}
	}
}

// Forget deletes everything of an app that was destroyed. Requests that are
// counted later (their lines were still on the way) stay, until the next call.
func (s *Store) Forget(ctx context.Context, app string) error {
	shard, app := ShardOf(app), orNoApp(app)
	keys := []string{dueKey(shard, app), appsKey(shard), totalKey(shard, app)}
	if err := forgetScript.Run(ctx, s.rdb, keys, app, prefix(shard)).Err(); err != nil {
		return fmt.Errorf("forget the statistics of app %s: %w", app, err)
	}
	return nil
}
