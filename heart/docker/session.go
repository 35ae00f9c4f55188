package docker

import (
	"context"
	"errors"

	"github.com/moby/moby/client"
)

// Session names this run of the engine's, for whom nothing lives on from the one
// before: another name means that all containers were ended between the two. It is
// empty where the engine does not say.
//
// It is asked over a connection of its own: an engine that is about to end, and ends
// its containers first, still answers on those that it has.
func (e *Engine) Session(ctx context.Context) (string, error) {
	fresh, err := Open(Options{Host: e.host, Cluster: e.cluster})
	if err != nil {
		return "", err
	}
	defer func() { _ = fresh.Close() }()
	var id string
	// The engine makes its default bridge anew when it starts, unless containers live on.
	err = fresh.call(ctx, "inspect its default network", queryTimeout, func(ctx context.Context) error {
		r, err := fresh.cli.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
		id = r.Network.ID
		return err
	})
	if errors.Is(err, ErrNoContainer) { // it is told to have none
		return "", nil
	}
	return id, err
}
