package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"aorta/heart"
	"aorta/heart/build"
	"aorta/heart/docker"
	"aorta/heart/images"
	"aorta/internal/atomicfile"
	"aorta/internal/listeners"
	"aorta/internal/pause"
	"aorta/jobs"
	"aorta/jobs/redisconn"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/client"
	"aorta/web/nodewire"
)

// node is this process as a node of the cluster: it speaks to the pacemaker
// over HTTP even when that is in the same process.
type node struct {
	d       *daemon
	id      cluster.ID
	client  *neighbours
	hello   cluster.Hello
	welcome cluster.Welcome     // the first one
	jobs    *redisconn.Endpoint // where its jobs are
	roles   []cluster.Role
	// handlers are those of the jobs on the node's own queue, by kind.
	handlers map[string]jobs.Handler
	engine   *docker.Engine  // nil: no role of the node uses one
	carrier  *images.Carrier // with the engine
}

// identity is a node's id with its token.
type identity struct {
	id    cluster.ID
	token string
	url   string
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
	if err := d.applyNodeAddress(); err != nil {
		return err
	}
	n := &node{d: d, id: who.id, roles: roles, jobs: redisconn.NewEndpoint(), handlers: map[string]jobs.Handler{}}
	pacemaker, err := client.NewNode([]string{who.url}, string(who.id), who.token)
	if err != nil {
		return err
	}
	d.onClose(pacemaker.Close)
	n.client = newNeighbours(pacemaker, d.path("neighbours.json"), d.log)
	if err := n.sayHello(ctx); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return n.openRoles(ctx)
}

// identify finds out who this node is: from its token file, or, beside the
// pacemaker, from the database, where it is entered at the first start.
func (d *daemon) identify(ctx context.Context, c *controller) (identity, error) {
	if c == nil {
		raw, err := os.ReadFile(d.cfg.NodeTokenFile)
		if err != nil {
			return identity{}, fmt.Errorf("read the node's token: %w", err)
		}
		who, err := parseToken(strings.TrimSpace(string(raw)))
		who.url = d.cfg.Pacemaker
		return who, err
	}
	path := d.path("node.token")
	if raw, err := os.ReadFile(path); err == nil {
		who, err := parseToken(strings.TrimSpace(string(raw)))
		if err != nil {
			return who, err
		}
		who.url = c.nodeURL
		if known, err := c.store.NodeByToken(ctx, who.token); err == nil {
			return who, d.applyRoles(ctx, c, known)
		}
	}
	return d.enter(ctx, c, path)
}

// enter makes this node known, or gives it a new token when its file is lost.
func (d *daemon) enter(ctx context.Context, c *controller, path string) (identity, error) {
	n, err := c.store.NodeByName(ctx, d.cfg.NodeName)
	known := err == nil
	if !known {
		roles, err := cluster.ParseRoles("roles", d.cfg.Roles)
		if err != nil {
			return identity{}, err
		}
		n = cluster.Node{ID: cluster.NewID(), Name: d.cfg.NodeName, Roles: roles}
	}
	who := identity{id: n.ID, token: cluster.NodeToken(n.ID, rand.Text()), url: c.nodeURL}
	hash := store.HashToken(who.token)
	if known {
		err = errors.Join(c.store.SetNodeToken(ctx, n.ID, hash), d.applyRoles(ctx, c, n))
	} else {
		err = c.store.CreateNode(ctx, n, hash, "")
	}
	if err != nil {
		return who, err
	}
	return who, atomicfile.Write(path, []byte(who.token+"\n"), 0o600)
}

// applyRoles gives the node beside the pacemaker the roles of its configuration:
// whoever writes that owns the cluster. Other nodes have those of their token.
func (d *daemon) applyRoles(ctx context.Context, c *controller, n cluster.Node) error {
	roles, err := cluster.ParseRoles("roles", d.cfg.Roles)
	if err != nil {
		return err
	}
	now := n
	now.Roles = roles
	return c.store.UpdateNode(ctx, n, now)
}

func parseToken(token string) (identity, error) {
	parts := strings.Split(token, "_")
	if len(parts) != 3 || parts[0] != "node" {
		return identity{}, cluster.Invalid("node_token_file", "holds no node token (make one with: aorta nodes token --name NAME)")
	}
	id, err := cluster.ParseID(parts[1])
	return identity{id: id, token: token}, err
}

// sayHello opens the node's session and learns where the rest is. When the
// pacemaker is away, what it said last holds: instances and routes go on.
func (n *node) sayHello(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("read the host's name: %w", err)
	}
	n.hello = cluster.Hello{
		Session: n.d.session, Hostname: host, Pid: os.Getpid(), Roles: n.roles, Address: n.d.cfg.NodeAddress, Version: version,
	}
	for {
		n.welcome, err = n.client.Hello(ctx, n.hello)
		if err == nil {
			return n.accept(n.welcome)
		}
		if code := cluster.CodeOf(err); code != cluster.CodeUnavailable && code != cluster.CodeInternal {
			return err
		}
		if last := n.d.lastWelcome(); last.NodeID != "" {
			n.d.log.Warn("the pacemaker is away; starting with what it said last", "err", err)
			n.welcome = last
			n.jobs.Set(last.Jobs)
			return nil
		}
		n.d.log.Warn("waiting for the pacemaker", "url", n.client.URL(), "err", err)
		if !pause.For(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}

// accept keeps a welcome for the next start, and moves the workers to where the jobs
// are now.
func (n *node) accept(w cluster.Welcome) error {
	n.jobs.Set(w.Jobs)
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
	h, err := heart.New(heart.Config{
		NodeID: n.id, NodeName: n.welcome.NodeName, Cluster: n.welcome.Cluster, DataDir: d.path("heart"),
		Address: d.cfg.NodeAddress, DockerHost: d.cfg.DockerHost, ReportEvery: d.cfg.ReportEvery, Roles: n.roles,
		Session: d.session, Version: version, Welcomed: n.welcomed, Parts: d.watch.Parts,
		OutputFiles: d.cfg.OutputFiles, OutputFileSize: int64(d.cfg.OutputFileBytes), Images: n.carrier,
	}, n.client, d.log)
	if err != nil {
		return "", err
	}
	if err := h.Open(ctx); err != nil {
		return "", err
	}
	d.loop("heart", h.Run)
	n.handlers[cluster.JobInstanceStart] = func(ctx context.Context, r *jobs.Run) (any, error) { return h.StartInstance(ctx, r) }
	n.handlers[cluster.JobInstanceStop] = func(ctx context.Context, r *jobs.Run) (any, error) { return h.StopInstance(ctx, r) }
	return "instances on " + h.Address(), nil
}

// applyNodeAddress checks where instances are to be published, before the
// pacemaker learns of it and routes lead there.
func (d *daemon) applyNodeAddress() error {
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
var errNoRouter = errors.New("the pacemaker knows this node without the router role: make its token with --roles router")
