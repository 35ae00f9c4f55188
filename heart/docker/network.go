package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Network is the cluster's own bridge on this node.
type Network struct {
	Name    string
	Bridge  string       // the host's interface
	Gateway netip.Addr   // the bridge's own address: where a node alone publishes
	Subnet  netip.Prefix // that containers get their addresses from
}

func (e *Engine) networkName() string { return "aorta-" + e.cluster.Short() }

// An interface's name holds 15 bytes.
func (e *Engine) bridgeName() string { return "ao-" + e.cluster.Short() }

// EnsureNetwork finds the cluster's bridge or makes it. Containers on it can't
// reach each other directly.
func (e *Engine) EnsureNetwork(ctx context.Context) (Network, error) {
	n, err := e.inspectNetwork(ctx)
	if err == nil || !errors.Is(err, ErrNoContainer) {
		return n, err
	}
	err = e.call(ctx, "create the cluster's network", workTimeout, func(ctx context.Context) error {
		_, err := e.cli.NetworkCreate(ctx, e.networkName(), client.NetworkCreateOptions{
			Driver: "bridge",
			Options: map[string]string{
				"com.docker.network.bridge.enable_icc": "false",
				"com.docker.network.bridge.name":       e.bridgeName(),
			},
			Labels: map[string]string{cluster.LabelCluster: string(e.cluster)},
		})
		return err
	})
	// Another daemon of this cluster on the same engine may have been faster.
	if err != nil && !errors.Is(err, ErrInUse) {
		return Network{}, err
	}
	return e.inspectNetwork(ctx)
}

func (e *Engine) inspectNetwork(ctx context.Context) (Network, error) {
	var found network.Inspect
	err := e.call(ctx, "inspect the cluster's network", lookTimeout, func(ctx context.Context) error {
		r, err := e.cli.NetworkInspect(ctx, e.networkName(), client.NetworkInspectOptions{})
		found = r.Network
		return err
	})
	if err != nil {
		return Network{}, err
	}
	if found.Labels[cluster.LabelCluster] != string(e.cluster) {
		return Network{}, cluster.Conflict("the Docker network %s is not this cluster's; remove it (docker network rm %s)", found.Name, found.Name)
	}
	for _, c := range found.IPAM.Config {
		if c.Gateway.Is4() {
			return Network{Name: found.Name, Bridge: e.bridgeName(), Gateway: c.Gateway, Subnet: c.Subnet}, nil
		}
	}
	return Network{}, fmt.Errorf("the Docker network %s has no IPv4 gateway", found.Name)
}

// RemoveNetwork removes the cluster's bridge. One that is not there is fine.
func (e *Engine) RemoveNetwork(ctx context.Context) error {
	err := e.call(ctx, "remove the cluster's network", workTimeout, func(ctx context.Context) error {
		_, err := e.cli.NetworkRemove(ctx, e.networkName(), client.NetworkRemoveOptions{})
		return err
	})
	if errors.Is(err, ErrNoContainer) {
		return nil
	}
	return err
}
