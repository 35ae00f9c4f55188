package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// sharedNetwork is what the engine calls its own network, which the steps of its
// BuildKit have, whatever a build asks for, and containers of whomever.
const sharedNetwork = "bridge"

// SharedName is what the interface of that network is called unless the engine was
// told another name.
const SharedName = "docker0"

// SharedBridge is the interface of that network, with the ends there of the links to
// running containers. What is there besides are steps of builds.
type SharedBridge struct {
	Name string
	Ends []string
}

// Bridge is the interface of the cluster's network.
func (e *Engine) Bridge() string { return e.bridgeName() }

// SharedBridge finds out which it is and who is there now.
func (e *Engine) SharedBridge(ctx context.Context) (SharedBridge, error) {
	var found SharedBridge
	err := e.call(ctx, "inspect its own network", queryTimeout, func(ctx context.Context) error {
		r, err := e.cli.NetworkInspect(ctx, sharedNetwork, client.NetworkInspectOptions{})
		found.Name = cmp.Or(r.Network.Options["com.docker.network.bridge.name"], SharedName)
		return err
	})
	if errors.Is(err, ErrNoContainer) {
		return SharedBridge{}, nil // the engine was told to have none
	}
	if err != nil {
		return SharedBridge{}, err
	}
	pids, err := e.sharing(ctx)
	for _, pid := range pids {
		found.Ends = append(found.Ends, endsOf(pid, found.Name)...)
	}
	slices.Sort(found.Ends)
	return found, err
}

// sharing are the first processes of the containers in the engine's own network.
func (e *Engine) sharing(ctx context.Context) ([]int, error) {
	var pids []int
	err := e.call(ctx, "list the containers of its own network", queryTimeout, func(ctx context.Context) error {
		list, err := e.cli.ContainerList(ctx, client.ContainerListOptions{Filters: make(client.Filters).Add("network", sharedNetwork)})
		if err != nil {
			return err
		}
		for _, c := range list.Items {
			out, err := e.cli.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
			if err == nil && out.Container.State != nil && out.Container.State.Pid > 0 {
				pids = append(pids, out.Container.State.Pid)
			} // one that has ended meanwhile needs nothing
		}
		return nil
	})
	return pids, err
}

// endsOf are the interfaces of a bridge whose other end a process has, by the number
// that the kernel has for both. A link's name never comes back, as an address does.
func endsOf(pid int, bridge string) []string {
	root, err := os.OpenRoot(fmt.Sprintf("/proc/%d/root", pid)) // what is in there leads nowhere else
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }()
	at, portOf := linkIndex(bridge), masters()
	if at == 0 {
		return nil
	}
	var ends []string
	links, _ := fs.Glob(root.FS(), "sys/class/net/*/iflink")
	for _, link := range links {
		raw, err := root.ReadFile(link)
		n, perr := strconv.Atoi(strings.TrimSpace(string(raw)))
		if err != nil || perr != nil {
			continue
		}
		end, err := net.InterfaceByIndex(n)
		if err == nil && portOf[n] == at {
			ends = append(ends, end.Name)
		}
	}
	return ends
}

// WatchShared calls changed once it is subscribed, and then for each start and end of
// a container that is no instance, until ctx ends or the stream breaks.
func (e *Engine) WatchShared(ctx context.Context, changed func()) error {
	f := make(client.Filters).Add("type", string(events.ContainerEventType)).Add("event", string(events.ActionStart), string(events.ActionDie))
	return e.events(ctx, f, changed, func(m events.Message) {
		if m.Actor.Attributes[cluster.LabelInstance] == "" { // what was made of an app's image has its other labels
			changed()
		}
	})
}
