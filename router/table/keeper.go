package table

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/tick"
	"aorta/router"
)

// keepInterval is how often the replica is asked for more than the file has. What is
// published in between is lost with the machine's power, if the pacemaker's is, too:
// the replica's own dump is older.
const keepInterval = 2 * time.Second

// keepShare is how much of its time a keeper writes at the most: one part of so many.
const keepShare = 20

// restAfter is how long the keeper rests after a save that took so long.
func restAfter(took time.Duration) time.Duration { return max(keepInterval, keepShare*took) }

// Keeper holds a file up to date with the table in a router's replica: the
// last one that was accepted, never a lower pair.
type Keeper struct {
	Replica redis.UniversalClient
	Cluster string
	Path    string
	Log     *slog.Logger
}

// lastLimit bounds the saving at the end: a stop is not held up by a replica that
// hangs.
const lastLimit = 2 * time.Second

// Run saves at once and then whenever the pair has risen, not more often than the size
// of the table allows, and once more at its end: workers that start later begin with
// the file.
// It ends with its context, never because the replica is away.
func (k *Keeper) Run(ctx context.Context) error {
	var kept router.Pair
	if _, pair, err := LoadTable(k.Path, k.Cluster); err == nil {
		kept = pair
	}
	for {
		began := time.Now()
		pair, err := k.keep(ctx, kept)
		switch {
		case err == nil:
			kept = pair
		case ctx.Err() == nil:
			k.Log.Warn("the routing table's file is not up to date", "path", k.Path, "err", err)
		}
		if !tick.Next(ctx, restAfter(time.Since(began))) {
			k.keepLast(ctx, kept)
			return nil
		}
	}
}

// keepLast saves what has risen since, if the replica is still there.
func (k *Keeper) keepLast(ctx context.Context, kept router.Pair) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLimit)
	defer cancel()
	if _, err := k.keep(last, kept); err != nil {
		k.Log.Info("the routing table's file was not saved, and may be some seconds old", "path", k.Path, "err", err)
	}
}

// Save saves the table now, if the replica is there, for workers that start next. Else they
// begin with what the file has.
func (k *Keeper) Save(ctx context.Context) {
	var kept router.Pair
	if _, pair, err := LoadTable(k.Path, k.Cluster); err == nil {
		kept = pair
	}
	k.keepLast(ctx, kept)
}

// keep saves the table if it is above what is kept, and returns what is kept
// afterwards.
func (k *Keeper) keep(ctx context.Context, kept router.Pair) (router.Pair, error) {
	pair, err := ReadPair(ctx, k.Replica, k.Cluster)
	if errors.Is(err, ErrUnclaimed) || (err == nil && !kept.Less(pair)) {
		return kept, nil
	}
	if err != nil {
		return kept, err
	}
	table, pair, err := Read(ctx, k.Replica, k.Cluster)
	var broken *BrokenError
	if err != nil && !errors.As(err, &broken) {
		return kept, fmt.Errorf("keep the routing table: %w", err)
	}
	return pair, SaveTable(k.Path, k.Cluster, pair, table)
}
