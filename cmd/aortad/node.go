package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/heart"
	"aorta/heart/build"
	"aorta/heart/docker"
	"aorta/heart/images"
	"aorta/heart/tags"
	"aorta/internal/atomicfile"
	"aorta/internal/listeners"
	"aorta/internal/pause"
	"aorta/jobs"
	"aorta/jobs/redisconn"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/nodewire"
)

// node is this process as a node of the cluster: it speaks to the pacemaker
// over HTTP even when that is in the same process.
type node struct {
	d       *daemon
	id      cluster.ID
	who     *identity
	client  *neighbours
	hello   cluster.Hello
	welcome cluster.Welcome     // the first one
	reached bool                // it is the pacemaker's of now, not what that said last
	jobs    *redisconn.Endpoint // where its jobs are
	roles   []cluster.Role
	tags    *tags.Finder
	// handlers are those of the jobs on the node's own queue, by kind.
	handlers map[string]jobs.Handler
	engine   *docker.Engine  // nil: no role of the node uses one
	carrier  *images.Carrier // with the engine
	wall     *wall           // likewise
}

func (d *daemon) openNode(ctx context.Context, c *controller) error {
	who, err := d.identify(ctx, c)
	if err != nil {
		return err
	}
	roles, err := cluster.ParseRoles("roles", d.cfg.Roles)
	if err != nil {
		return err
	}
	trust, err := who.keys.Trust()
	if err != nil {
		return err
	}
	n := &node{d: d, id: who.ID, who: who, roles: roles, tags: d.findTags(), jobs: redisconn.NewEndpoint(), handlers: map[string]jobs.Handler{}}
	pacemaker, err := client.NewNode(who.Pacemakers, string(who.ID), trust)
	if err != nil {
		return err
	}
	d.onClose(pacemaker.Close)
	pacemaker.RenewBy(n.renew)
	l, err := d.holdLease(who.ID)
	if err != nil {
		return err
	}
	n.client = newNeighbours(pacemaker, l, d.path("neighbours.json"), d.log)
	if err := n.openSession(ctx); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	d.loop("renewal of the certificate", n.keepCertificate)
	d.loop("addresses to show", n.client.keepShowing)
	return n.openRoles(ctx)
}

// takeover is for how long a hello that is refused because another process has this
// node's identity is repeated: that one may have ended just now, with its machine.
const takeover = 20 * time.Second

// openSession opens the node's session and learns where the rest is. When the
// pacemaker is away, what it said last holds: instances and routes go on.
func (n *node) openSession(ctx context.Context) (err error) {
	if n.hello, err = n.d.hello(n.roles); err != nil {
		return err
	}
	refusedSince := time.Time{}
	for {
		n.client.showFirst(ctx, n.hello.Address)
		n.welcome, err = n.client.Hello(ctx, n.hello)
		switch code := cluster.CodeOf(err); {
		case err == nil:
			n.reached = true
			return n.accept(n.welcome)
		case code == cluster.CodeConflict:
			if refusedSince.IsZero() {
				refusedSince = time.Now()
			}
			if time.Since(refusedSince) > takeover {
				return err
			}
		case code != cluster.CodeUnavailable && code != cluster.CodeInternal:
			return err
		default:
			// What a copy runs by that, the original may run too.
			if last := n.d.lastWelcome(); last.NodeID != "" && !n.client.lease.isCopy() {
				n.d.log.Warn("the pacemaker is away; starting with what it said last", "err", err)
				n.welcome = last
				n.jobs.Set(last.Jobs)
				return nil
			}
		}
		n.d.log.Warn("waiting for the pacemaker", "url", n.client.URL(), "err", err)
		if !pause.For(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}

// hello is what this process says of itself.
func (d *daemon) hello(roles []cluster.Role) (cluster.Hello, error) {
	host, err := os.Hostname()
	if err != nil {
		return cluster.Hello{}, fmt.Errorf("read the host's name: %w", err)
	}
	place, err := d.place()
	return cluster.Hello{
		Session: d.session, Hostname: host, Place: place, Pid: os.Getpid(), Roles: roles, Address: d.cfg.NodeAddress, Version: version,
	}, err
}

// place names this data directory on this machine since it was booted, as long as the
// disk is not copied to another one.
func (d *daemon) place() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the machine's boot: %w", err)
	}
	network, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return "", fmt.Errorf("read the network namespace: %w", err)
	}
	var dir unix.Stat_t
	if err := unix.Stat(d.cfg.DataDir, &dir); err != nil {
		return "", fmt.Errorf("look at the data directory: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(boot, "%s %d %d", network, dir.Dev, dir.Ino))
	return hex.EncodeToString(sum[:8]), nil
}

// accept keeps a welcome for the next start, and moves the workers to where the jobs
// are now.
func (n *node) accept(w cluster.Welcome) error {
	n.jobs.Set(w.Jobs)
	if len(w.Pacemakers) > 0 && len(n.d.cfg.Pacemakers) == 0 && !slices.Equal(w.Pacemakers, n.who.Pacemakers) {
		n.who.Pacemakers = w.Pacemakers // for the next start
		if err := n.who.save(); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(nodewire.FromWelcome(w))
	if err == nil {
		err = atomicfile.Write(n.d.path("welcome.json"), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the welcome: %w", err)
	}
	return nil
}

// welcomed is accept for a loop that can't return an error.
func (n *node) welcomed(w cluster.Welcome) {
	if err := n.accept(w); err != nil {
		n.d.log.Warn("what the pacemaker says is not on disk for the next start", "err", err)
	}
}

func (n *node) openRoles(ctx context.Context) error {
	if !n.d.cfg.Has(cluster.RoleHeart) {
		n.openBeat()
	}
	if err := n.openEngine(); err != nil {
		return err
	}
	type opening struct {
		role cluster.Role
		open func(context.Context) (string, error)
	}
	for _, o := range []opening{{cluster.RoleRouter, n.openRouter}, {cluster.RoleHeart, n.openHeart}, {cluster.RoleBuilder, n.openBuilder}} {
		if !n.d.cfg.Has(o.role) {
			continue
		}
		n.d.ready.Waiting(string(o.role), "its parts")
		line, err := o.open(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", o.role, err)
		}
		n.d.isReady(o.role, string(o.role)+": "+line)
	}
	return n.openQueue()
}

// openEngine connects to the engine that a heart or a builder uses, and watches it.
func (n *node) openEngine() (err error) {
	if !n.d.cfg.Has(cluster.RoleHeart) && !n.d.cfg.Has(cluster.RoleBuilder) {
		return nil
	}
	n.engine, err = docker.Open(docker.Options{Host: n.d.cfg.DockerHost, Cluster: n.welcome.Cluster})
	if err != nil {
		return err
	}
	n.d.onClose(func() { _ = n.engine.Close() })
	n.watchEngine(n.engine)
	return n.openCarrier()
}

// openCarrier lets the engine take images from the cluster's registry, and send them
// there. The engine knows it as a port of this machine, the same at each start.
func (n *node) openCarrier() error {
	listen, err := n.d.addrs.resolve(listener{name: "registry", option: "the engine's way to the registry", ip: loopback})
	if err != nil {
		return err
	}
	proxy, err := images.Listen(listen, n.client, n.d.log)
	if err != nil {
		return err
	}
	n.d.loop("images' proxy", proxy.Run)
	n.carrier = &images.Carrier{Engine: n.engine, Proxy: proxy, Node: n.welcome.NodeName, Log: n.d.log}
	return nil
}

// openQueue works on the node's own queue, where a heart or a builder uses an engine.
func (n *node) openQueue() error {
	if n.engine == nil {
		return nil
	}
	n.openCollector()
	n.work("node's worker", redisq.WorkerOptions{Queue: jobs.NodeQueue(string(n.id)), Concurrency: 16, Urgent: 4, Handlers: n.handlers})
	return nil
}

func (n *node) openHeart(ctx context.Context) (string, error) {
	d := n.d
	if err := d.addrs.note("docker_host", "docker_host", d.cfg.DockerHost); err != nil {
		return "", err
	}
	// So that `aortad stop --all` finds the same engine.
	if err := atomicfile.Write(d.path("docker.host"), []byte(d.cfg.DockerHost+"\n"), 0o600); err != nil {
		return "", err
	}
	cfg := heart.Config{
		NodeID: n.id, NodeName: n.welcome.NodeName, Cluster: n.welcome.Cluster, DataDir: d.path("heart"),
		Address: d.cfg.NodeAddress, DockerHost: d.cfg.DockerHost, ReportEvery: d.cfg.ReportEvery,
		Hello: n.hello, Tags: n.tags, Welcomed: n.welcomed, Parts: d.watch.Parts,
		OutputFiles: d.cfg.OutputFiles, OutputFileSize: int64(d.cfg.OutputFileBytes), Images: n.carrier,
	}
	var err error
	if cfg.Watchdog, err = d.watchdog(cfg); err != nil {
		return "", err
	}
	h, err := heart.New(cfg, n.client, d.log)
	if err != nil {
		return "", err
	}
	if err := h.Open(ctx); err != nil {
		return "", err
	}
	n.openFirewall(ctx)
	d.loop("heart", h.Run)
	n.handlers[cluster.JobInstanceStart] = func(ctx context.Context, r *jobs.Run) (any, error) { return h.StartInstance(ctx, r) }
	n.handlers[cluster.JobInstanceStop] = func(ctx context.Context, r *jobs.Run) (any, error) { return h.StopInstance(ctx, r) }
	return "instances on " + h.Address(), nil
}

// checkNodeAddress checks where instances are to be published, and other nodes reach
// this one, before anything is started.
func (d *daemon) checkNodeAddress() error {
	address, engine := d.cfg.NodeAddress, d.cfg.DockerHost
	if address != "" && (engine == "" || strings.HasPrefix(engine, "unix:")) {
		if err := listeners.Check(net.JoinHostPort(address, "0"), nil); err != nil {
			return listener{option: "node_address"}.unusable("%v: name an address of this machine (--node-address)", err)
		}
	}
	return d.addrs.note("node_address", "node_address", address)
}

func (n *node) openBuilder(ctx context.Context) (string, error) {
	d := n.d
	info, err := n.engine.Await(ctx, d.log)
	if err != nil {
		return "", err
	}
	n.openFirewall(ctx)
	b := &build.Builder{
		Engine: n.engine, Source: n.client, Images: n.carrier, Dir: d.path("builds"), Log: d.log, Child: []string{childCommand},
		Timeout: d.cfg.BuildTimeout, Settings: build.Settings{Classic: d.cfg.ClassicBuilder, Fetch: d.cfg.BuildFetch}, CacheSize: int64(d.cfg.BuildCacheMaxGB) * 1e9,
	}
	if err := b.Clean(); err != nil {
		return "", err
	}
	if b.CacheSize > 0 {
		d.loop("build cache", b.KeepCache)
	}
	work := func(ctx context.Context, r *jobs.Run) (any, error) {
		result, err := b.Build(ctx, r)
		return nodewire.FromBuildResult(result), err
	}
	n.handlers[cluster.JobBuild] = work // of an image that is on this node's engine
	n.work("builder", redisq.WorkerOptions{Queue: builderQueue, Concurrency: build.Slots + build.Waiting, Handlers: map[string]jobs.Handler{cluster.JobBuild: work}})
	return "Docker " + info.Version, nil
}

// errNoRouter says that a welcome lacks what a router needs.
var errNoRouter = errors.New("the pacemaker knows this node without the router role: let it join with --roles router")
