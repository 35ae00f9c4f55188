package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/internal/pause"
	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// openJobsRedis finds the jobs Redis and sets the nodes' users in it. One of the
// operator's own may be away: then all of this comes later.
func (c *controller) openJobsRedis(ctx context.Context) error {
	var err error
	if c.m.jobs != nil {
		c.jobs, err = managedJobs(c.d, c.m)
	} else {
		c.jobs, err = givenJobs(ctx, c.d, c.cluster)
	}
	if err != nil {
		return err
	}
	applied, err := c.tendJobs(ctx, "")
	var no unfit
	if err != nil && (c.m.jobs != nil || errors.As(err, &no)) {
		return err
	}
	c.jobs.found(err)
	c.d.loop("jobs Redis", func(ctx context.Context) error { return c.keepJobs(ctx, applied) })
	return nil
}

// keepJobs looks after the jobs Redis: a server that was started anew has lost
// the nodes' users, without a file of its own for them.
func (c *controller) keepJobs(ctx context.Context, applied string) error {
	for pause.For(ctx, time.Second) {
		now, err := c.tendJobs(ctx, applied)
		if ctx.Err() != nil {
			return nil
		}
		applied = now
		c.jobs.found(err)
	}
	return nil
}

// tendJobs is one look. It returns which users are set in which servers.
func (c *controller) tendJobs(ctx context.Context, applied string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	runs, err := c.jobs.look(ctx)
	if err != nil {
		return applied, err
	}
	if err := c.jobs.greet(ctx, runs); err != nil {
		return applied, err
	}
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return applied, err
	}
	want := runs + usersOf(nodes)
	if want == applied {
		return applied, nil
	}
	for _, n := range nodes {
		if err := c.setUser(ctx, n); err != nil {
			return applied, err
		}
	}
	return want, nil
}

// usersOf changes when the nodes are others, or their roles.
func usersOf(nodes []cluster.Node) string {
	var ids strings.Builder
	for _, n := range nodes {
		ids.WriteString(string(n.ID))
		for _, r := range n.Roles {
			ids.WriteString(string(r))
		}
	}
	return ids.String()
}

// jobsUser is a node's user in the jobs Redis, with its password.
func (c *controller) jobsUser(node cluster.ID) (name, password string) {
	name = c.jobs.prefix + "node-" + string(node)
	return name, c.d.secrets.password(redisJobs, name)
}

// setUser makes or renews a node's user, on every server.
func (c *controller) setUser(ctx context.Context, n cluster.Node) error {
	client, err := c.jobs.current()
	if err != nil {
		return err
	}
	name, password := c.jobsUser(n.ID)
	args := []any{"ACL", "SETUSER", name, "resetpass", "on", ">" + password}
	for _, rule := range nodeRules(n) {
		args = append(args, rule)
	}
	if _, sharded := client.(*redis.ClusterClient); sharded {
		args = append(args, "+cluster|slots") // to find the others
	}
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error { return rdb.Do(ctx, args...).Err() })
	if err != nil {
		return explain(c.jobs.name, fmt.Errorf("set the user of node %s: %w", n.Name, err))
	}
	return nil
}

// letIn gives a node its user before it comes: a new one would be refused until
// the next look at the nodes. That look also mends what fails here.
func (c *controller) letIn(node cluster.Node) {
	ctx, cancel := context.WithTimeout(c.d.ctx, time.Second)
	defer cancel()
	if err := c.setUser(ctx, node); err != nil {
		c.d.log.Warn("a node comes before its user", "node", node.Name, "err", err)
	}
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
