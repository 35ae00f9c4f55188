package main

import (
	"context"
	"strings"
	"time"

	"aorta/internal/pause"
	"aorta/jobs"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// nodeUser is a node's user in the jobs Redis.
func nodeUser(node cluster.ID) string { return "node-" + string(node) }

// welcome tells a node where the rest of the cluster is, with passwords that
// open only what its roles need.
func (c *controller) welcome(node cluster.Node) cluster.Welcome {
	d := c.d
	w := cluster.Welcome{
		Cluster: c.cluster, Epoch: c.pace.Epoch(), NodeID: node.ID, NodeName: node.Name, Networks: cluster.PrivateNetworks(),
		Jobs: c.m.door(redisJobs, nodeUser(node.ID), d.secrets.password(redisJobs, nodeUser(node.ID))),
	}
	c.letIn(node)
	if node.Has(cluster.RoleRouter) {
		w.Routes = c.m.door(redisRoutes, userReplica, d.secrets.password(redisRoutes, userReplica))
		w.Stats = c.m.door(redisStats, userTailer, d.secrets.password(redisStats, userTailer))
	}
	return w
}

// letIn gives a node its user before it comes: a new one would be refused until
// the next look at the nodes. That look also mends what fails here.
func (c *controller) letIn(node cluster.Node) {
	ctx, cancel := context.WithTimeout(c.d.ctx, time.Second)
	defer cancel()
	if err := c.setUser(ctx, c.m.jobs.Client(), node); err != nil {
		c.d.log.Warn("a node comes before its user", "node", node.Name, "err", err)
	}
}

// applyUsers sets the ACL users of all nodes in the jobs Redis, now and
// whenever its server has been started anew: without a file of their own they
// vanish with it.
func (c *controller) applyUsers(ctx context.Context) error {
	runID, err := c.m.jobs.RunID(ctx)
	if err != nil {
		return err
	}
	if err := c.setUsers(ctx); err != nil {
		return err
	}
	c.d.loop("job users", func(ctx context.Context) error { return c.keepUsers(ctx, runID) })
	return nil
}

func (c *controller) keepUsers(ctx context.Context, applied string) error {
	failing := false
	for {
		known, err := c.userState(ctx)
		if err == nil && known != applied {
			if err = c.setUsers(ctx); err == nil {
				applied = known
			}
		}
		if err != nil && !failing && ctx.Err() == nil {
			c.d.log.Warn("the nodes' users in the jobs Redis can't be set", "err", err)
		}
		failing = err != nil
		if !pause.For(ctx, time.Second) {
			return nil
		}
	}
}

// userState changes when the server is another run or the nodes are others.
func (c *controller) userState(ctx context.Context) (string, error) {
	runID, err := c.m.jobs.RunID(ctx)
	if err != nil {
		return "", err
	}
	nodes, err := c.store.Nodes(ctx)
	var ids strings.Builder
	for _, n := range nodes {
		ids.WriteString(string(n.ID))
		for _, r := range n.Roles {
			ids.WriteString(string(r))
		}
	}
	return runID + ids.String(), err
}

func (c *controller) setUsers(ctx context.Context) error {
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return err
	}
	client := c.m.jobs.Client()
	for _, n := range nodes {
		if err := c.setUser(ctx, client, n); err != nil {
			return err
		}
	}
	return nil
}

// nodeRules are what a node's worker processes may do: its own queue, and the
// builders' when it is one.
func nodeRules(n cluster.Node) []string {
	rules := redisq.NodeACL(string(n.ID))
	if n.Has(cluster.RoleBuilder) {
		for _, r := range redisq.RoleACL(string(cluster.RoleBuilder)) {
			if !resets[r] {
				rules = append(rules, r)
			}
		}
	}
	return rules
}

var resets = map[string]bool{"resetkeys": true, "resetchannels": true, "nocommands": true}

var builderQueue = jobs.RoleQueue(string(cluster.RoleBuilder))
