package main

import (
	"context"
	"slices"
	"strings"

	"aorta/internal/redisd"
	"aorta/pacemaker/cluster"
	"aorta/router/stats"
)

// A router has a user of its own on the routes master, by which its replica follows
// that, and on the statistics Redis, where its tailer counts: so one can be shut out
// alone. A password hangs on the node's key, which another machine of its name has not.

func routersOf(nodes []cluster.Node) []cluster.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n cluster.Node) bool { return !n.Has(cluster.RoleRouter) })
}

func replicaOf(n cluster.Node) string { return "replica-" + string(n.ID) }

func tailerOf(n cluster.Node) string { return "tailer-" + string(n.ID) }

func (s secrets) ofNode(server, user string, n cluster.Node) string {
	return s.password(server, user+"/"+n.KeyHash)
}

func (m *masters) replicas() []redisd.User {
	users := make([]redisd.User, len(m.routers))
	for i, n := range m.routers {
		users[i] = redisd.User{Name: replicaOf(n), Password: m.secrets.ofNode(redisRoutes, replicaOf(n), n), Rules: redisd.ReplicaRules}
	}
	return users
}

func (m *masters) tailers() []redisd.User {
	users := make([]redisd.User, 0, len(m.routers))
	for _, n := range m.routers {
		if slices.Contains(m.shut, string(n.ID)) {
			continue
		}
		users = append(users, redisd.User{Name: tailerOf(n), Password: m.secrets.ofNode(redisStats, tailerOf(n), n), Rules: stats.TailerRules(string(n.ID)), On: true})
	}
	return users
}

// admit gives the routers among the nodes their users, and takes those of others away.
func (m *masters) admit(ctx context.Context, nodes []cluster.Node) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.routers = routersOf(nodes)
	if err := m.routes.SetUsers(ctx, m.replicas()); err != nil {
		return err
	}
	if err := m.stats.SetUsers(ctx, m.tailers()); err != nil {
		return err
	}
	if m.verified == "" {
		return nil // the table is not verified yet: nobody may follow
	}
	return m.open(ctx, m.verified)
}

// shutOut takes those routers their users on the statistics Redis, and gives all others
// theirs.
func (m *masters) shutOut(ctx context.Context, routers []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut = routers
	return m.stats.SetUsers(ctx, m.tailers())
}

// open lets the routers' replicas follow that run of the routes master; mu is held.
func (m *masters) open(ctx context.Context, runID string) error {
	for _, n := range m.routers {
		if err := m.routes.OpenGate(ctx, replicaOf(n), runID); err != nil {
			return err
		}
	}
	return nil
}

// RunID is part of routing.Gate.
func (m *masters) RunID(ctx context.Context) (string, error) { return m.routes.RunID(ctx) }

// OpenGate is part of routing.Gate.
func (m *masters) OpenGate(ctx context.Context, runID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(ctx, runID); err != nil {
		return err
	}
	m.verified = runID
	return nil
}

// pacemakers are the addresses of the nodes' API.
func (c *controller) pacemakers() []string { return []string{c.nodeURL} }

// expel takes from a node that was removed its users.
func (c *controller) expel(ctx context.Context, n cluster.Node) error {
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return err
	}
	var failed []string
	if err := c.m.admit(ctx, nodes); err != nil {
		failed = append(failed, err.Error())
	}
	if err := c.jobs.Expel(ctx, n); err != nil {
		failed = append(failed, err.Error())
	}
	if len(failed) > 0 {
		return cluster.Unavailable("node %q is removed, and can reach what follows until it answers again: %s", n.Name, strings.Join(failed, "; "))
	}
	return nil
}

// admitted makes sure that a node that says hello finds its users.
func (c *controller) admitted(n cluster.Node) error {
	if !n.Has(cluster.RoleRouter) {
		return nil
	}
	nodes, err := c.store.Nodes(c.d.ctx)
	if err != nil {
		return err
	}
	if err := c.m.admit(c.d.ctx, nodes); err != nil {
		return cluster.Unavailable("the users of node %s can't be set: %v", n.Name, err)
	}
	return nil
}
