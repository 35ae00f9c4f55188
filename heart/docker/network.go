package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Network is the cluster's own bridge on this node.
type Network struct {
	Name    string
	ID      string       // that the engine gave it; another one each time that it is made
	Bridge  string       // the host's interface
	Gateway netip.Addr   // the bridge's address; instances are published there unless the node has one of its own
	Subnet  netip.Prefix // of the containers' addresses
}

func (e *Engine) networkName() string { return "aorta-" + e.cluster.Short() }

// An interface's name holds 15 bytes.
func (e *Engine) bridgeName() string { return "ao-" + e.cluster.Short() }

// EnsureNetwork returns the cluster's bridge and creates it if needed.
// Containers on it can't reach each other directly. Once it was there, it is made
// with the same addresses again: instances are published on them.
func (e *Engine) EnsureNetwork(ctx context.Context) (Network, error) {
	e.making.Lock()
	defer e.making.Unlock()
	n, err := e.ensureNetwork(ctx)
	if err == nil {
		e.noteNetwork(n)
	}
	return n, err
}

func (e *Engine) noteNetwork(n Network) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.net = n
}

func (e *Engine) knownNetwork() Network {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.net
}

// addressOf is a container's address in the cluster's network. It has none in one that
// is gone, and that an engine still tells of: another container may have it by now.
func (e *Engine) addressOf(ctx context.Context, r container.InspectResponse) (none netip.Addr, err error) {
	if r.NetworkSettings == nil {
		return none, nil
	}
	at := r.NetworkSettings.Networks[e.networkName()]
	if at == nil || !at.IPAddress.IsValid() {
		return none, nil
	}
	now := e.knownNetwork()
	if at.NetworkID != now.ID { // it may have been made again, by another daemon
		now, err = e.inspectNetwork(ctx)
		if errors.Is(err, ErrNoContainer) {
			return none, nil
		}
		if err != nil {
			return none, err
		}
		e.noteNetwork(now)
	}
	if at.NetworkID != now.ID {
		return none, nil
	}
	return at.IPAddress, nil
}

func (e *Engine) ensureNetwork(ctx context.Context) (Network, error) {
	// Looked for before the network: another daemon of this cluster may be making both.
	left := linkIndex(e.bridgeName())
	n, err := e.inspectNetwork(ctx)
	if err == nil || !errors.Is(err, ErrNoContainer) {
		return n, err
	}
	if left != 0 {
		if err := e.cutOff(left); err != nil {
			return Network{}, err
		}
	}
	err = e.createNetwork(ctx)
	// Another daemon of this cluster may have created it meanwhile.
	if err != nil && !errors.Is(err, ErrInUse) {
		return Network{}, e.whoHasOurs(ctx, err)
	}
	return e.inspectNetwork(ctx)
}

// whoHasOurs explains why the network can't be made again: another one was given the
// addresses that this node's instances are served at.
func (e *Engine) whoHasOurs(ctx context.Context, cause error) error {
	ours := e.knownNetwork().Subnet
	if !ours.IsValid() {
		return cause
	}
	var all client.NetworkListResult
	err := e.call(ctx, "list its networks", queryTimeout, func(ctx context.Context) (err error) {
		all, err = e.cli.NetworkList(ctx, client.NetworkListOptions{})
		return err
	})
	if err != nil {
		return cause
	}
	for _, n := range all.Items {
		for _, c := range n.IPAM.Config {
			if c.Subnet.IsValid() && c.Subnet.Overlaps(ours) {
				return cluster.Unavailable("the Docker network %s has the addresses %s now, at which instances of this node are served; remove it (docker network rm %[1]s), they start again then", n.Name, ours)
			}
		}
	}
	return cause
}

// cutOff removes the bridge that an engine which has lost its data has left. The
// processes of containers that it has forgotten are in there, at addresses that it
// is about to give to others.
func (e *Engine) cutOff(link int) error {
	if err := deleteLink(link); err != nil {
		return fmt.Errorf("the Docker engine at %s does not know the network of the bridge %s, where containers of before may answer for others (remove it: ip link delete %[2]s): %w", e.host, e.bridgeName(), err)
	}
	return nil
}

func (e *Engine) createNetwork(ctx context.Context) error {
	return e.call(ctx, "create the cluster's network", workTimeout, func(ctx context.Context) error {
		_, err := e.cli.NetworkCreate(ctx, e.networkName(), client.NetworkCreateOptions{
			Driver: "bridge",
			IPAM:   e.addresses(),
			Options: map[string]string{
				"com.docker.network.bridge.enable_icc": "false",
				"com.docker.network.bridge.name":       e.bridgeName(),
			},
			Labels: map[string]string{cluster.LabelCluster: string(e.cluster)},
		})
		return err
	})
}

// rejoin makes the network again and puts a container that does not run into it: the
// engine looks for the one that is gone by its id.
func (e *Engine) rejoin(ctx context.Context, id cluster.ID) error {
	if _, err := e.EnsureNetwork(ctx); err != nil {
		return err
	}
	return e.call(ctx, "move a container to the cluster's network", workTimeout, func(ctx context.Context) error {
		// It may be in none.
		_, _ = e.cli.NetworkDisconnect(ctx, e.networkName(), client.NetworkDisconnectOptions{Container: string(id), Force: true})
		_, err := e.cli.NetworkConnect(ctx, e.networkName(), client.NetworkConnectOptions{Container: string(id)})
		return err
	})
}

// addresses are those that the network had before, nil for the engine's choice.
func (e *Engine) addresses() *network.IPAM {
	before := e.knownNetwork()
	if !before.Subnet.IsValid() {
		return nil
	}
	return &network.IPAM{Config: []network.IPAMConfig{{Subnet: before.Subnet, Gateway: before.Gateway}}}
}

func (e *Engine) inspectNetwork(ctx context.Context) (Network, error) {
	var found network.Inspect
	err := e.call(ctx, "inspect the cluster's network", queryTimeout, func(ctx context.Context) error {
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
			return Network{Name: found.Name, ID: found.ID, Bridge: e.bridgeName(), Gateway: c.Gateway, Subnet: c.Subnet}, nil
		}
	}
	return Network{}, fmt.Errorf("the Docker network %s has no IPv4 gateway", found.Name)
}

// RemoveNetwork removes the cluster's bridge, if there is one.
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
