package table

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"aorta/router"
)

// readBatch bounds one MGET, so that a large table does not hold up its Redis.
const readBatch = 500

var errMissing = errors.New("is listed but missing")

// meta is the hash of that name.
type meta struct {
	cluster    string
	pair       router.Pair
	published  bool // a pair is there
	ownerEpoch uint64
}

// Read reads the cluster's whole table, from the master or a replica. Broken
// records come back as a *BrokenError with the good ones; ErrUnclaimed means
// that nothing has been published there, ErrForeign that it is another
// cluster's.
func Read(ctx context.Context, rdb redis.UniversalClient, cluster string) (router.Table, router.Pair, error) {
	m, err := readMeta(ctx, rdb)
	if err != nil {
		return nil, router.Pair{}, err
	}
	if m.cluster != "" && m.cluster != cluster {
		return nil, router.Pair{}, fmt.Errorf("read the routing table: %w", ErrForeign)
	}
	table := make(router.Table)
	broken := make(map[string]error)
	err = eachBatch(ctx, rdb, func(names []string, texts []any) error {
		for i, text := range texts {
			if err := putText(table, names[i], text); err != nil {
				broken[names[i]] = err
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, router.Pair{}, fmt.Errorf("read the routing table: %w", err)
	case len(broken) > 0:
		return table, m.pair, &BrokenError{Causes: broken}
	case !m.published:
		return table, m.pair, fmt.Errorf("read the routing table: %w", ErrUnclaimed)
	}
	return table, m.pair, nil
}

// ReadPair reads what was published last, ErrUnclaimed when nothing was and
// ErrForeign when it was another cluster.
func ReadPair(ctx context.Context, rdb redis.UniversalClient, cluster string) (router.Pair, error) {
	m, err := readMeta(ctx, rdb)
	switch {
	case err != nil:
		return router.Pair{}, err
	case !m.published:
		return router.Pair{}, ErrUnclaimed
	case m.cluster != cluster:
		return router.Pair{}, ErrForeign
	}
	return m.pair, nil
}

// putText adds what was read for the name, nothing for a tombstone.
func putText(table router.Table, name string, text any) error {
	s, ok := text.(string)
	if !ok {
		return errMissing
	}
	if _, gone := parseTombstone(s); gone {
		return nil
	}
	r, err := router.ParseRecord([]byte(s))
	if err != nil {
		return err
	}
	if r.Host != name {
		return fmt.Errorf("holds the record of %q", r.Host)
	}
	table[name] = r
	return nil
}

func readMeta(ctx context.Context, rdb redis.UniversalClient) (meta, error) {
	fields, err := rdb.HGetAll(ctx, metaKey).Result()
	if err != nil {
		return meta{}, fmt.Errorf("read %s: %w", metaKey, err)
	}
	m := meta{cluster: fields["cluster"]}
	_, m.published = fields["generation"]
	for name, into := range map[string]*uint64{
		"epoch": &m.pair.Epoch, "generation": &m.pair.Generation, "owner_epoch": &m.ownerEpoch,
	} {
		text, ok := fields[name]
		if !ok {
			continue
		}
		if *into, err = strconv.ParseUint(text, 10, 64); err != nil {
			return meta{}, fmt.Errorf("read %s: field %s: %w", metaKey, name, err)
		}
	}
	return m, nil
}

// eachBatch calls do with every listed name and its value (nil where
// nothing does), some hundred at a time.
func eachBatch(ctx context.Context, rdb redis.UniversalClient, do func(names []string, texts []any) error) error {
	names, err := rdb.ZRange(ctx, changesKey, 0, -1).Result()
	if err != nil {
		return fmt.Errorf("list route names: %w", err)
	}
	for len(names) > 0 {
		batch := names[:min(readBatch, len(names))]
		names = names[len(batch):]
		keys := make([]string, len(batch))
		for i, name := range batch {
			keys[i] = recordKey(name)
		}
		texts, err := rdb.MGet(ctx, keys...).Result()
		if err != nil {
			return fmt.Errorf("read route records: %w", err)
		}
		if err := do(batch, texts); err != nil {
			return err
		}
	}
	return nil
}
