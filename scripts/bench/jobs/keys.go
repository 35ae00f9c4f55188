package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/pause"
	"aorta/jobs/redisq"
)

// keyspace lists every key that is not an effect, with its type and how much is
// in it; of a stream also what consumers have and did not give back.
func keyspace(ctx context.Context, rdb *redis.Client) ([]string, error) {
	var out []string
	keys := rdb.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		if key == keyEffects || key == keyExecutions {
			continue
		}
		text, err := describe(ctx, rdb, key)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", key, err)
		}
		out = append(out, text)
	}
	if err := keys.Err(); err != nil {
		return nil, fmt.Errorf("list the keys: %w", err)
	}
	slices.Sort(out)
	return slices.Compact(out), nil // a scan may bring a key twice
}

func describe(ctx context.Context, rdb *redis.Client, key string) (string, error) {
	kind, err := rdb.Type(ctx, key).Result()
	if err != nil {
		return "", err
	}
	var size, pending int64
	switch kind {
	case "stream":
		size = rdb.XLen(ctx, key).Val()
		groups, err := rdb.XInfoGroups(ctx, key).Result()
		if err != nil {
			return "", err
		}
		for _, g := range groups {
			pending += g.Pending
		}
	case "set":
		size = rdb.SCard(ctx, key).Val()
	case "hash":
		size = rdb.HLen(ctx, key).Val()
	case "zset":
		size = rdb.ZCard(ctx, key).Val()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s of %d, %d pending", key, kind, size, pending)), nil
}

// keysTimeout is longer than a sweep, which deletes what late workers wrote.
const keysTimeout = 15 * time.Second

// awaitKeys waits until the keyspace is as it was, and returns what differs when
// it does not become so.
func awaitKeys(ctx context.Context, rdb *redis.Client, before []string) ([]string, error) {
	deadline := time.Now().Add(keysTimeout)
	for {
		now, err := keyspace(ctx, rdb)
		if err != nil {
			return nil, err
		}
		more := slices.DeleteFunc(slices.Clone(now), func(k string) bool { return slices.Contains(before, k) })
		if len(more) == 0 || time.Now().After(deadline) {
			return more, nil
		}
		if !pause.For(ctx, 50*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// awaitNoTrees waits until no tree is stored.
func awaitNoTrees(ctx context.Context, k *redisq.Keeper) error {
	for {
		trees, err := k.List(ctx, redisq.Filter{})
		if err != nil {
			return err
		}
		if len(trees) == 0 {
			return nil
		}
		if !pause.For(ctx, time.Millisecond) {
			return fmt.Errorf("wait for %d ended trees to be deleted: %w", len(trees), ctx.Err())
		}
	}
}
