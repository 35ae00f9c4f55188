package redisconn

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"aorta/jobs/redisq"
	"aorta/pacemaker/cluster"
)

// admitTimeout bounds how long a node that says hello waits for its user.
const admitTimeout = time.Second

// EndpointFor is a node's way in, once it is known what to dial. The node gets
// its user before it comes: a new one would be refused until the next poll,
// which also mends what fails here.
func (r *Redis) EndpointFor(ctx context.Context, n cluster.Node) (cluster.RedisEndpoint, error) {
	at, err := r.reach()
	if err != nil {
		return cluster.RedisEndpoint{}, err
	}
	at.User, at.Password = r.user(n.ID), r.password(n)
	ctx, cancel := context.WithTimeout(ctx, admitTimeout)
	defer cancel()
	if err := r.setUser(ctx, n); err != nil {
		r.opt.Log.Warn("a node comes before its user", "node", n.Name, "err", err)
	}
	return at, nil
}

func (r *Redis) reach() (cluster.RedisEndpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client == nil {
		return cluster.RedisEndpoint{}, r.silent()
	}
	at := r.opt.Reach
	at.Cluster = r.own.Cluster
	return at, nil
}

// syncUsers sets the nodes' users when the servers' runs or the nodes are
// others than those of the last time.
func (r *Redis) syncUsers(ctx context.Context, runs string) error {
	nodes, err := r.opt.Nodes(ctx)
	if err != nil {
		return err
	}
	want := runs + usersOf(nodes)
	if want == r.applied {
		return nil
	}
	for _, n := range nodes {
		if err := r.setUser(ctx, n); err != nil {
			return err
		}
	}
	if err := r.deleteOthers(ctx, nodes); err != nil {
		return err
	}
	r.applied = want
	return nil
}

// deleteOthers deletes the users of nodes that are no longer in the cluster, which
// ends their connections.
func (r *Redis) deleteOthers(ctx context.Context, nodes []cluster.Node) error {
	client, err := r.current()
	if err != nil {
		return err
	}
	mine := r.user("")
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error {
		there, err := rdb.ACLUsers(ctx).Result()
		if err != nil {
			return err
		}
		for _, name := range there {
			id, ours := strings.CutPrefix(name, mine)
			if !ours || slices.ContainsFunc(nodes, func(n cluster.Node) bool { return string(n.ID) == id }) {
				continue
			}
			if err := rdb.ACLDelUser(ctx, name).Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return explain(r.opt.Name, fmt.Errorf("delete the users of nodes that were removed: %w", err))
	}
	return nil
}

// Expel takes from a node that was removed its user, and with it the connections, and
// deletes the logs that it wrote: one that filled the server is got rid of so. Its
// queue is the keeper's, which ends the jobs in it with their operations: without the
// keeper's records there, all jobs would be taken for lost.
func (r *Redis) Expel(ctx context.Context, n cluster.Node) error {
	client, err := r.current()
	if err != nil {
		return err
	}
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error {
		if err := rdb.ACLDelUser(ctx, r.user(n.ID)).Err(); err != nil {
			return err
		}
		return deleteLogs(ctx, rdb, n)
	})
	if err != nil {
		return explain(r.opt.Name, fmt.Errorf("take away the user of node %s: %w", n.Name, err))
	}
	return nil
}

// deleteLogs works on a server that is full too.
func deleteLogs(ctx context.Context, rdb *redis.Client, n cluster.Node) error {
	keys := rdb.Scan(ctx, 0, redisq.NodeLogs(string(n.ID)), 1000).Iterator()
	for keys.Next(ctx) {
		if err := rdb.Unlink(ctx, keys.Val()).Err(); err != nil {
			return err
		}
	}
	return keys.Err()
}

// usersOf changes when the nodes are others, or their keys or roles.
func usersOf(nodes []cluster.Node) string {
	var ids strings.Builder
	for _, n := range nodes {
		ids.WriteString(string(n.ID))
		ids.WriteString(n.KeyHash)
		for _, role := range n.Roles {
			ids.WriteString(string(role))
		}
	}
	return ids.String()
}

// user is the name of a node's user.
func (r *Redis) user(node cluster.ID) string {
	prefix := ""
	if r.opt.External != nil {
		prefix = r.opt.External.Prefix
	}
	return prefix + "node-" + string(node)
}

// password is another one once the node has another key: who has the former key knows
// the former password.
func (r *Redis) password(n cluster.Node) string {
	return r.opt.Password(r.user(n.ID) + "/" + n.KeyHash)
}

// setUser makes or renews a node's user, on every server.
func (r *Redis) setUser(ctx context.Context, n cluster.Node) error {
	client, err := r.current()
	if err != nil {
		return err
	}
	name := r.user(n.ID)
	args := []any{"ACL", "SETUSER", name, "resetpass", "on", ">" + r.password(n)}
	for _, rule := range nodeRules(n) {
		args = append(args, rule)
	}
	if isCluster(client) {
		args = append(args, "+cluster|slots") // to find the others
	}
	err = eachMaster(ctx, client, func(ctx context.Context, rdb *redis.Client) error { return rdb.Do(ctx, args...).Err() })
	if err != nil {
		return explain(r.opt.Name, fmt.Errorf("set the user of node %s: %w", n.Name, err))
	}
	return nil
}

// nodeRules are what a node's worker processes may do: its own queue, and the
// builders' when it is one.
func nodeRules(n cluster.Node) []string {
	rules := redisq.NodeACL(string(n.ID))
	if n.Has(cluster.RoleBuilder) {
		for _, rule := range redisq.RoleACL(string(cluster.RoleBuilder)) {
			if !resets[rule] {
				rules = append(rules, rule)
			}
		}
	}
	return rules
}

var resets = map[string]bool{"resetkeys": true, "resetchannels": true, "nocommands": true, "clearselectors": true}
