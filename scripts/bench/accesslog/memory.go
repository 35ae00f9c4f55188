package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/router/stats"
)

const releases = 20

// memory prints what ten minutes of steady traffic take in Redis. Two runs that
// differ by ten instances per release tell a release's share from an instance's.
func memory(ctx context.Context, rdb *redis.Client, store *stats.Store) error {
	few, err := fill(ctx, rdb, store, 1)
	if err != nil {
		return err
	}
	many, err := fill(ctx, rdb, store, 11)
	if err != nil {
		return err
	}
	instance := (many - few) / (10 * releases)
	fmt.Printf("%-24s %9d B per release, %d B more per instance (10 min, 22 requests/s per release)\n",
		"in Redis", few/releases-instance, instance)
	return nil
}

// fill empties Redis, commits ten minutes second by second and returns the bytes
// that this took.
func fill(ctx context.Context, rdb *redis.Client, store *stats.Store, instances int) (int, error) {
	if err := rdb.FlushAll(ctx).Err(); err != nil {
		return 0, fmt.Errorf("empty the bench's Redis: %w", err)
	}
	before, err := size(ctx, rdb)
	if err != nil {
		return 0, err
	}
	var at [stats.Shards]stats.Position
	router := uuid(5, 0)
	taker := stats.NewTaker(store, stats.TakerConfig{Routers: func(context.Context) ([]string, error) { return []string{router}, nil }})
	start := time.Now().Add(-10 * time.Minute)
	for second := range 600 {
		batches := traffic22(start.Add(time.Duration(second)*time.Second), second, instances)
		for shard, b := range batches {
			to := stats.Position{"1:2:3": int64(second + 1)}
			if err := store.Commit(ctx, shard, router, at[shard], to, b); err != nil {
				return 0, err
			}
			at[shard] = to
		}
		if err := taker.Take(ctx, time.Now()); err != nil {
			return 0, err
		}
	}
	after, err := size(ctx, rdb)
	return after - before, err
}

// traffic22 is one second of 22 requests to each release, by shard.
func traffic22(at time.Time, second, instances int) map[int]*stats.Batch {
	batches := map[int]*stats.Batch{}
	for release := range releases {
		app := uuid(1, release)
		shard := stats.ShardOf(app)
		if batches[shard] == nil {
			batches[shard] = stats.NewBatch()
		}
		for n := range 22 {
			i := release*instances + n%instances
			batches[shard].Add(&stats.Hit{
				Time: at, App: app, Release: uuid(2, release), Type: "web",
				Instance: uuid(3, i), Node: uuid(4, i%20), Status: 200 + n/21*300,
				Bytes: 1000 + int64(n), Seconds: float64(second*7%97+n) / 1000, Attempts: 1,
			})
		}
	}
	return batches
}

func size(ctx context.Context, rdb *redis.Client) (int, error) {
	info, err := rdb.InfoMap(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("ask Redis for its memory: %w", err)
	}
	n, err := strconv.Atoi(info["Memory"]["used_memory"])
	if err != nil {
		return 0, fmt.Errorf("read Redis' memory: %w", err)
	}
	return n, nil
}
