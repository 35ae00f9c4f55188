package redisq

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// archive hands an ended tree over, in a goroutine of its own: it takes as long
// as it takes, and must not hold up other trees. Run's end stops it.
func (l *loop) archive(ctx context.Context, t *tree) {
	if !t.State.Ended() || l.ending[t.ID] || l.trees[t.ID] == nil {
		return
	}
	l.ending[t.ID] = true
	l.group.Go(func() error {
		if l.deliverEnd(ctx, t) {
			select {
			case l.archived <- t.ID:
			case <-ctx.Done():
			}
		}
		return nil
	})
}

// deliverEnd calls OnEnd until it returns nil. False means that ctx ended before.
func (l *loop) deliverEnd(ctx context.Context, t *tree) bool {
	if l.opt.OnEnd == nil {
		return true
	}
	wait := newBackoff()
	for {
		select {
		case l.ends <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		err := l.opt.OnEnd(ctx, t.Tree)
		<-l.ends
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		l.opt.Log.Warn("an ended tree of jobs could not be archived; trying again", "tree", t.ID, "error", err)
		wait.Pause(ctx)
	}
}

func (l *loop) gatherArchived(first string) []string {
	out := []string{first}
	for len(out) < maxGather {
		select {
		case id := <-l.archived:
			out = append(out, id)
		default:
			return out
		}
	}
	return out
}

// drop deletes archived trees: what their queues keep first, the index entry
// last, so that a crash in between leaves a tree that is found and handed over
// again.
func (l *loop) drop(ctx context.Context, ids []string) error {
	var ended []*tree
	for _, id := range ids {
		delete(l.ending, id)
		if t := l.trees[id]; t != nil && t.State.Ended() {
			ended = append(ended, t)
		}
	}
	err := l.inOrder(ctx,
		func(pipe redis.Pipeliner) {
			for _, t := range ended {
				for _, j := range t.Jobs {
					l.settle(ctx, pipe, j, "drop")
				}
			}
		},
		func(pipe redis.Pipeliner) {
			for _, t := range ended {
				dropScript.EvalSha(ctx, pipe, []string{treeKey(t.ID)}, l.fenceArgs()...)
			}
		},
		func(pipe redis.Pipeliner) {
			var gone []any
			for _, t := range ended {
				gone = append(gone, t.ID)
			}
			l.index(ctx, pipe, keyTrees, "SREM", gone)
		})
	if err != nil {
		return fmt.Errorf("delete ended trees: %w", err)
	}
	for _, t := range ended {
		l.locations.drop(t.Tree)
		delete(l.trees, t.ID)
	}
	return nil
}

// inOrder does each step only when the one before has succeeded: a successor
// that has claimed the queues and not yet the trees refuses the first.
func (l *loop) inOrder(ctx context.Context, steps ...func(redis.Pipeliner)) error {
	for _, step := range steps {
		pipe := l.rdb.Pipeline()
		step(pipe)
		cmds, _ := pipe.Exec(ctx)
		if err := firstError(cmds); err != nil {
			return err
		}
	}
	return nil
}
