package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"aorta/internal/cgroup"
)

// Usage measures what a container that runs uses. On this machine that are three
// reads of the kernel's files, elsewhere a question to the engine, which costs it
// much more.
func (e *Engine) Usage(ctx context.Context, c Container) (cgroup.Usage, error) {
	group, err := cgroup.OfProcess(cgroup.Proc, cgroup.Root, c.Pid, c.EngineID)
	if err != nil {
		return e.askUsage(ctx, c)
	}
	return group.Usage()
}

// priority is how many times the weight of a session or a service the containers of an
// engine have together.
const priority = 8

// Prefer has what containers do go before what the engine and this daemon do for them,
// such as storing what one of them prints, in the group that a container is in; on
// this machine alone, and where the engine has one group for all of them.
func (e *Engine) Prefer(c Container) error {
	group, err := cgroup.OfProcess(cgroup.Proc, cgroup.Root, c.Pid, c.EngineID)
	if err == nil {
		err = group.Prefer(priority)
	}
	if err == nil || errors.Is(err, cgroup.ErrNone) {
		return nil
	}
	return fmt.Errorf("raise the weight of the engine's containers: %w", err)
}

func (e *Engine) askUsage(ctx context.Context, c Container) (cgroup.Usage, error) {
	var s container.StatsResponse
	err := e.call(ctx, "measure a container", queryTimeout, func(ctx context.Context) error {
		r, err := e.cli.ContainerStats(ctx, string(c.Instance), client.ContainerStatsOptions{})
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			return fmt.Errorf("read its statistics: %w", err)
		}
		return nil
	})
	used, cache := s.MemoryStats.Usage, s.MemoryStats.Stats["inactive_file"]
	if v, ok := s.MemoryStats.Stats["total_inactive_file"]; ok {
		cache = v
	}
	return cgroup.Usage{Memory: int64(used - min(cache, used)), CPU: time.Duration(s.CPUStats.CPUUsage.TotalUsage)}, err
}
