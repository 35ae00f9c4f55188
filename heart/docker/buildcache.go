package docker

import (
	"context"

	"github.com/moby/moby/client"
)

// TrimBuildCache removes what was not used for longest from the engine's build
// cache until it takes no more than most bytes, and says how much went. What a
// running build uses or an image has stays.
func (e *Engine) TrimBuildCache(ctx context.Context, most int64) (int64, error) {
	var freed int64
	err := e.call(ctx, "trim its build cache", pullTimeout, func(ctx context.Context) error {
		r, err := e.cli.BuildCachePrune(ctx, client.BuildCachePruneOptions{ReservedSpace: most})
		freed = int64(r.Report.SpaceReclaimed)
		return err
	})
	return freed, err
}
