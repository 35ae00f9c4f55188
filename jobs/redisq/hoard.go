package redisq

import (
	"context"
	_ "embed" // the script
	"fmt"

	"github.com/redis/go-redis/v9"

	"aorta/jobs"
)

// maxHoard is how many bytes the workers of a queue may have as logs, and how many as
// what they say and as beats. Logs of 2000 lines each are far from it.
const maxHoard = 64 << 20

//go:embed lua/hoard.lua
var hoardText string

var hoardScript = redis.NewScript(hoardText)

// TakeBack deletes what the workers of a queue have written beyond what they may have
// there, and says how many bytes that were. Their rights can't bound it: no rule of a
// user counts bytes. It works on a server that is full.
func TakeBack(ctx context.Context, rdb redis.UniversalClient, q jobs.Queue) (int64, error) {
	k := keysOf(q)
	keys := []string{k.out(), k.beat()}
	for p := range priorities {
		keys = append(keys, k.stream(p))
	}
	taken, err := hoardScript.Run(ctx, rdb, keys, k.job(""), logTail, group, maxHoard).Int64()
	if err != nil {
		return 0, fmt.Errorf("take back what the workers of %s wrote: %w", q.Owner, err)
	}
	return taken, nil
}
