package main

import (
	"context"
	_ "embed" // the script
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// Keys of the storm, beside those of the jobs themselves; both lie there until
// the server is emptied.
const (
	keyEffects    = "{storm}:effects"    // hash: job → its place in the order of effects; workers write, the judge reads
	keyExecutions = "{storm}:executions" // hash: job → how often its handler came to its effect; the same
)

//go:embed effect.lua
var effectText string

var effectScript = redis.NewScript(effectText)

// effect is the handler of the storm.
func effect(rdb *redis.Client) jobs.Handler {
	return func(ctx context.Context, r *jobs.Run) (any, error) {
		return nil, makeEffect(ctx, rdb, r.ID()).Err()
	}
}

func makeEffect(ctx context.Context, rdb *redis.Client, job string) *redis.Cmd {
	return effectScript.Run(ctx, rdb, []string{keyEffects, keyExecutions}, job)
}

// effects are all that were made, by job.
type effects struct {
	order      map[string]int // from 1
	executions map[string]int
}

func readEffects(ctx context.Context, rdb *redis.Client) (effects, error) {
	var e effects
	var err error
	if e.order, err = readCounts(ctx, rdb, keyEffects); err != nil {
		return e, err
	}
	e.executions, err = readCounts(ctx, rdb, keyExecutions)
	return e, err
}

func readCounts(ctx context.Context, rdb *redis.Client, key string) (map[string]int, error) {
	fields, err := rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	out := make(map[string]int, len(fields))
	for job, text := range fields {
		if out[job], err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", job, key, err)
		}
	}
	return out, nil
}
