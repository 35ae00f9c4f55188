package build

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
)

// trimEvery is how often the build cache is looked at.
const trimEvery = 10 * time.Minute

// KeepCache keeps the engine's build cache within CacheSize until ctx ends. An
// engine has one cache for all who build there, so the bound is on all of it.
func (b *Builder) KeepCache(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		freed, err := b.Engine.TrimBuildCache(ctx, b.CacheSize)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			b.Log.Warn("could not trim the build cache; trying again later", "err", err)
		case freed > 0:
			b.Log.Info("trimmed the build cache", "freed", cluster.Bytes(freed), "limit", cluster.Bytes(b.CacheSize))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
