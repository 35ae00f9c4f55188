package main

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"aorta/heart/docker"
	"aorta/heart/firewall"
	"aorta/internal/pause"
	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

// wall is what keeps this node's containers from what is the platform's.
type wall struct {
	n      *node
	keeper *firewall.Keeper
	owner  firewall.Owner
	away   string // the engine's bridge, when that is not on this machine; of who checks

	mu       sync.Mutex // guards the rest
	shared   docker.SharedBridge
	services resolved
}

// openFirewall sets the rules and keeps them, once: before this node starts or builds
// anything. Without them it does both all the same, and says so.
func (n *node) openFirewall(ctx context.Context) {
	if n.wall != nil {
		return
	}
	w := &wall{n: n, owner: firewall.OwnerOf(n.welcome.Cluster, n.id)}
	w.keeper = firewall.NewKeeper(w.policy, n.d.log)
	n.wall = w
	if n.d.cfg.Has(cluster.RoleBuilder) {
		w.shared.Name = docker.SharedName // until the engine says another one
		w.refresh(ctx)
		n.d.loop("firewall's look at the engine", w.followShared)
	}
	w.away = w.elsewhere()
	w.keeper.Keep(ctx)
	n.d.loop("firewall", w.keeper.Run)
	n.d.follow(watch.Probe{
		Kind: cluster.PartFirewall, Name: "firewall", Roles: []cluster.Role{cluster.RoleHeart, cluster.RoleBuilder}, Use: w.check,
		Silent: "The firewall between containers and this node is not in force.", // never: its fault is for people
	})
}

// check tells what keeps the rules from being set. Apps and builds go on.
func (w *wall) check(context.Context) error {
	const says = "apps and builds are not kept from what listens on the addresses of nodes: "
	if w.away != "" { // looked for until it is found, which costs nothing afterwards
		w.away = w.elsewhere()
	}
	if w.away != "" {
		return watch.Minor(cluster.Unavailable(says+"the bridge %s of the Docker engine at %s is not on this machine; run this daemon where the engine runs, or keep containers from all nodes by rules there", w.away, w.n.engine.Host()))
	}
	if fault := w.keeper.Fault(); fault != nil {
		return watch.Minor(cluster.Unavailable(says+"%v", fault))
	}
	return nil
}

// elsewhere names a bridge of the engine that is not on this machine, if one is not. The
// kernel is asked, of the network that this process is in: files below /sys show that of
// whoever mounted it.
func (w *wall) elsewhere() string {
	bridges := w.bridges()
	if !w.n.d.cfg.Has(cluster.RoleHeart) {
		bridges = bridges[1:] // the cluster's is made when it is needed
	}
	for _, b := range bridges {
		if _, err := net.InterfaceByName(b.Name); err != nil {
			return b.Name
		}
	}
	return ""
}

// followShared knows who is on the engine's own bridge beside builds.
func (w *wall) followShared(ctx context.Context) error {
	for {
		err := w.n.engine.WatchShared(ctx, func() { w.refresh(ctx) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.n.d.log.Debug("lost the engine's event stream; subscribing again", "err", err)
		if !pause.For(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

func (w *wall) refresh(ctx context.Context) {
	shared, err := w.n.engine.SharedBridge(ctx)
	if err != nil {
		return // the engine's own probe tells of that, and who was there may go on
	}
	w.mu.Lock()
	w.shared = shared
	w.mu.Unlock()
	w.keeper.Nudge()
}

// policy is what this node's containers may reach now.
func (w *wall) policy(ctx context.Context) (firewall.Policy, error) {
	n := w.n
	p := firewall.Policy{
		Owner: w.owner, Bridges: w.bridges(), Public: n.client.listeners(), Resolvers: firewall.Resolvers(), Services: w.servicesNow(ctx),
	}
	var err error
	if p.May, err = n.d.cfg.Reachable(); err != nil {
		return p, err
	}
	for _, places := range n.client.all().Nodes {
		for _, a := range places.Addresses {
			if addr, err := netip.ParseAddr(a); err == nil {
				p.Nodes = append(p.Nodes, addr)
			}
		}
		for _, a := range places.Public {
			if at, err := netip.ParseAddrPort(a); err == nil && !slices.Contains(p.Services, at) {
				p.Public = append(p.Public, at)
			}
		}
	}
	return p, nil
}

// bridges are those that instances and builds are on.
func (w *wall) bridges() []firewall.Bridge {
	list := []firewall.Bridge{{Name: w.n.engine.Bridge()}}
	if !w.n.d.cfg.Has(cluster.RoleBuilder) {
		return list
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shared.Name != "" {
		list = append(list, firewall.Bridge{Name: w.shared.Name, Others: w.shared.Ends})
	}
	return list
}

// resolved are addresses of what is named by hosts.
type resolved struct {
	of    []string // host:port
	found []netip.AddrPort
	at    time.Time
}

const (
	resolveEvery   = time.Minute
	resolveTimeout = 2 * time.Second
)

// servicesNow are the platform's own by their addresses: those of nodes, and those
// that the operator has elsewhere.
func (w *wall) servicesNow(ctx context.Context) []netip.AddrPort {
	of := w.n.services()
	w.mu.Lock()
	last := w.services
	w.mu.Unlock()
	if slices.Equal(of, last.of) && time.Since(last.at) < resolveEvery {
		return last.found
	}
	now := resolved{of: of, at: time.Now()}
	for _, hostPort := range of {
		found, ok := addressesOf(ctx, hostPort)
		if !ok {
			found = last.found // the name server is away: what it said last
		}
		now.found = append(now.found, found...)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.services = now
	return now.found
}

// services are where this node finds the rest of the platform.
func (n *node) services() []string {
	list := []string{n.jobs.At().Addr, n.welcome.Routes.Addr, n.welcome.Stats.Addr}
	for _, address := range []string{n.client.URL(), n.d.cfg.DockerHost} {
		if u, err := url.Parse(address); err == nil && u.Port() != "" {
			list = append(list, u.Host)
		}
	}
	return slices.DeleteFunc(list, func(at string) bool {
		_, _, err := net.SplitHostPort(at)
		return err != nil // a socket, or none
	})
}

// addressesOf finds those of a host; not ok when they are not to be known now.
func addressesOf(ctx context.Context, hostPort string) (found []netip.AddrPort, ok bool) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, true
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil {
		return nil, true
	}
	bounded, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(bounded, "ip", host)
	for _, a := range addrs {
		if a = a.Unmap().WithZone(""); !a.IsLoopback() {
			found = append(found, netip.AddrPortFrom(a, uint16(number)))
		}
	}
	return found, err == nil
}
