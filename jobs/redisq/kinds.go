package redisq

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// mendKinds deletes the keys of queues that are not what they should be: one of them
// would end the reading of all. No rights allow a worker to make such a key, but those of
// earlier versions did.
func (l *loop) mendKinds(ctx context.Context) error {
	want := map[string]string{}
	for _, q := range l.locations.allQueues() {
		k := keysOf(q)
		want[k.beat()], want[k.out()] = "hash", "stream"
		for p := range priorities {
			want[k.stream(p)] = "stream"
		}
	}
	is := map[string]*redis.StatusCmd{}
	pipe := l.rdb.Pipeline()
	for key := range want {
		is[key] = pipe.Type(ctx, key)
	}
	cmds, _ := pipe.Exec(ctx)
	if err := firstError(cmds); err != nil {
		return fmt.Errorf("ask what the keys of the queues are: %w", err)
	}
	for key, kind := range is {
		if kind.Val() == want[key] || kind.Val() == "none" {
			continue
		}
		l.opt.Log.Warn("a key of a queue was something else and is deleted", "key", key, "is", kind.Val())
		if err := l.rdb.Unlink(ctx, key).Err(); err != nil {
			return fmt.Errorf("delete %s: %w", key, err)
		}
	}
	return nil
}
