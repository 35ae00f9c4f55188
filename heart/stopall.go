package heart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/heart/docker"
	"aorta/internal/pause"
	"aorta/pacemaker/cluster"
)

// StopAll ends and removes all containers of one node, then the cluster's
// bridge when no other node uses it, without a heart: for stopping a node whose
// daemon may be dead. It returns how many it removed. The recorded set stays: a
// heart that starts later starts it again.
func StopAll(ctx context.Context, e *docker.Engine, node string, grace time.Duration) (int, error) {
	mine, err := ownContainers(ctx, e, node)
	if err != nil {
		return 0, err
	}
	for _, c := range mine {
		if err := e.Signal(ctx, c.Instance, "SIGTERM"); err != nil {
			return 0, fmt.Errorf("stop instance %s: %w", c.Instance.Short(), err)
		}
	}
	if err := awaitEnd(ctx, e, node, grace); err != nil {
		return 0, err
	}
	for i, c := range mine {
		if err := e.Remove(ctx, c.Instance); err != nil { // kills what is left
			return i, fmt.Errorf("remove instance %s: %w", c.Instance.Short(), err)
		}
	}
	if err := e.RemoveNetwork(ctx); err != nil && !errors.Is(err, docker.ErrInUse) {
		return len(mine), err
	}
	return len(mine), nil
}

// awaitEnd waits until no container of the node runs, or the grace is over.
func awaitEnd(ctx context.Context, e *docker.Engine, node string, grace time.Duration) error {
	over := time.Now().Add(grace)
	for time.Now().Before(over) {
		list, err := ownContainers(ctx, e, node)
		if err != nil {
			return err
		}
		alive := 0
		for _, c := range list {
			if c.Running {
				alive++
			}
		}
		if alive == 0 {
			return nil
		}
		if !pause.For(ctx, 100*time.Millisecond) {
			return fmt.Errorf("wait for %d instances to end: %w", alive, ctx.Err())
		}
	}
	return nil
}

func ownContainers(ctx context.Context, e *docker.Engine, node string) ([]docker.Container, error) {
	list, err := e.List(ctx)
	var mine []docker.Container
	for _, c := range list {
		if c.Labels[cluster.LabelNode] == node {
			mine = append(mine, c)
		}
	}
	return mine, err
}
