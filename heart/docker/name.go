package docker

import (
	"context"
	"errors"

	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Regain finds an instance's container that has not its name, by the id that the
// engine gave it, and gives it its name again: somebody has renamed it.
func (e *Engine) Regain(ctx context.Context, id cluster.ID, engineID string) (Container, error) {
	if engineID == "" {
		return Container{}, &cluster.Error{Code: cluster.CodeNotFound, Err: ErrNoContainer, Message: "instance " + string(id) + " has no container"}
	}
	c, err := e.inspect(ctx, id, engineID)
	if err != nil {
		return Container{}, err
	}
	return c, e.giveName(ctx, c)
}

// RegainAll lists the cluster's containers as List does, after each has its name
// again. One that can't have it, since another container is its instance's by now,
// is removed.
func (e *Engine) RegainAll(ctx context.Context) ([]Container, error) {
	all, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	named := make([]Container, 0, len(all))
	for _, c := range all {
		if !c.Renamed {
			named = append(named, c)
			continue
		}
		err := e.giveName(ctx, c)
		if errors.Is(err, ErrInUse) {
			err = e.remove(ctx, c.EngineID)
		} else if err == nil {
			named = append(named, c)
		}
		if err != nil {
			return nil, err
		}
	}
	return named, nil
}

func (e *Engine) giveName(ctx context.Context, c Container) error {
	err := e.call(ctx, "rename a container", queryTimeout, func(ctx context.Context) error {
		_, err := e.cli.ContainerRename(ctx, c.EngineID, client.ContainerRenameOptions{NewName: string(c.Instance)})
		return err
	})
	if errors.Is(err, ErrNoContainer) {
		return nil
	}
	return err
}
