package redisq

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrFenced says that another keeper, with a higher epoch or of another
// cluster, owns what was to be written. The one that gets it must end.
var ErrFenced = errors.New("another keeper owns the jobs")

//go:embed lua/fence.lua
var fenceText string

//go:embed lua/index.lua
var indexText string

//go:embed lua/add.lua
var addText string

//go:embed lua/commit.lua
var commitText string

//go:embed lua/claim.lua
var claimText string

//go:embed lua/drop.lua
var dropText string

//go:embed lua/queue.lua
var queueText string

//go:embed lua/cancel.lua
var cancelText string

//go:embed lua/settle.lua
var settleText string

//go:embed lua/slot.lua
var slotText string

//go:embed lua/absorbed.lua
var absorbedText string

var (
	indexScript  = newScript(indexText)
	addScript    = newScript(addText)
	commitScript = newScript(commitText)
	claimScript  = newScript(claimText)
	dropScript   = newScript(dropText)
	queueScript  = newScript(queueText)
	cancelScript = newScript(cancelText)
	settleScript = newScript(settleText)
	slotScript   = newScript(slotText)

	absorbedScript = newScript(absorbedText)
)

var allScripts = []string{
	indexText, addText, commitText, claimText, dropText, queueText, cancelText, settleText, slotText, absorbedText,
}

func newScript(body string) *redis.Script { return redis.NewScript(fenceText + body) }

// loadScripts makes every server know every script, so that pipelines can name
// them by digest.
func loadScripts(ctx context.Context, rdb redis.UniversalClient) error {
	load := func(ctx context.Context, c redis.Cmdable) error {
		_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			// Script.Load in a pipeline would forget the digest.
			for _, body := range allScripts {
				p.ScriptLoad(ctx, fenceText+body)
			}
			return nil
		})
		return err
	}
	var err error
	if c, ok := rdb.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return load(ctx, c) })
	} else {
		err = load(ctx, rdb)
	}
	if err != nil {
		return fmt.Errorf("load the scripts: %w", err)
	}
	return nil
}

// asFenced turns a script's refusal into ErrFenced.
func asFenced(err error) error {
	if err == nil || !strings.HasPrefix(err.Error(), "FENCED") {
		return err
	}
	return fmt.Errorf("%w: %s", ErrFenced, strings.TrimPrefix(err.Error(), "FENCED "))
}

// firstError is the first failure among a pipeline's commands. A missing value
// is none.
func firstError(cmds []redis.Cmder) error {
	for _, c := range cmds {
		if err := c.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return asFenced(err)
		}
	}
	return nil
}
