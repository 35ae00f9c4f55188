package nodes

import (
	"context"
	"fmt"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/liveness"
	"aorta/pacemaker/store"
)

// Watch judges the nodes over and over until ctx ends.
func (n *Nodes) Watch(ctx context.Context) error {
	tick := time.NewTicker(liveness.Every(n.cfg.DeadAfter))
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := n.Judge(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing {
			n.cfg.Log.Error("the nodes could not be judged by their silence; it goes on with the next tick", "err", err)
		}
		failing = err != nil
	}
}

// Judge finds out once which nodes are silent or back, and records it.
func (n *Nodes) Judge(ctx context.Context) error {
	now := n.cfg.Now()
	members, err := n.members.now(ctx)
	if err != nil {
		return err
	}
	list, byID := make([]liveness.Node, len(members.list)), make(map[cluster.ID]cluster.Node, len(members.list))
	for i, node := range members.list {
		byID[node.ID] = node
		list[i] = liveness.Node{ID: node.ID, Heart: node.Has(cluster.RoleHeart), State: node.State}
		if h, said := n.Heard(node); said {
			list[i].Heard = now.Add(-h.Ago)
		}
	}
	found := n.judge(now, list)
	for _, c := range found.Changes {
		node := byID[c.ID]
		change := store.NodeChange{Node: node, To: c.To, Why: "silent for " + duration.Text(c.Silence.Truncate(time.Second)), Silence: c.Silence}
		if _, err := n.changeState(ctx, change); err != nil {
			return fmt.Errorf("record that node %s is %s: %w", node.Name, c.To, err)
		}
	}
	return nil
}

// welcomeBack judges at once when a node is heard that was not: nobody has to wait for
// the next round to see that it is there.
func (n *Nodes) welcomeBack(ctx context.Context, node cluster.Node) error {
	if node.State == cluster.NodeReady {
		return nil
	}
	return n.Judge(ctx)
}

func (n *Nodes) judge(now time.Time, list []liveness.Node) liveness.Judgement {
	n.judging.Lock()
	defer n.judging.Unlock()
	found := n.liveness.Judge(now, list)
	if found.Restarted {
		n.cfg.Log.Warn("this process was held up: silence of nodes counts from now on")
	}
	if found.Guarded != n.guarded {
		n.guarded = found.Guarded
		n.cfg.Log.Warn("most nodes are silent, or are heard again", "nothing_is_replaced", found.Guarded)
	}
	return found
}

// Guarded says that so many nodes are silent at once that none is declared dead.
func (n *Nodes) Guarded() bool {
	n.judging.Lock()
	defer n.judging.Unlock()
	return n.guarded
}

// changeState records a node's state and has the apps on it looked at that may lack
// something now, or have too much.
func (n *Nodes) changeState(ctx context.Context, c store.NodeChange) (bool, error) {
	node := c.Node
	c.Losses = liveness.Losses(node.Losses, node.LostAt, n.cfg.Now(), n.cfg.DeadAfter)
	done, err := n.cfg.Store.SetNodeState(ctx, c)
	if err != nil || !done || c.To != cluster.NodeDead && node.State != cluster.NodeDead {
		return done, err
	}
	n.cfg.Log.Warn("a node is in another state", "node", node.Name, "was", node.State, "now", c.To, "why", c.Why)
	if c.To == cluster.NodeDead {
		n.cfg.Lost(ctx, node, c.Why)
	}
	return done, n.appsChanged(ctx, node)
}

// DeclareDead has a node count as dead at once, by a person's word, and what ran there
// as ended, also what is exclusive. A node that reports is none.
func (n *Nodes) DeclareDead(ctx context.Context, node cluster.Node, user string) error {
	if node.Has(cluster.RolePacemaker) {
		return cluster.Conflict("node %q is the pacemaker, which answers this: it is not dead", node.Name)
	}
	if h, said := n.Heard(node); said && h.Ago < liveness.SuspectAfter(n.cfg.DeadAfter) {
		return cluster.Conflict("node %q was heard %s ago: a node that reports is not dead; to empty it, run aorta nodes drain %[1]s; if its machine has just been lost, try again in %[3]s",
			node.Name, duration.Text(h.Ago.Truncate(time.Second)), duration.Text((liveness.SuspectAfter(n.cfg.DeadAfter) - h.Ago).Round(time.Second)))
	}
	if node.DeclaredDead {
		return nil
	}
	done, err := n.declareDead(ctx, node, user, "declared dead by "+user)
	if err == nil && !done {
		return cluster.Conflict("node %q has just changed: see aorta nodes, and try again", node.Name)
	}
	return err
}

// declareDead does so of a node that is silent, or dead by its silence already.
func (n *Nodes) declareDead(ctx context.Context, node cluster.Node, user, why string) (bool, error) {
	if node.State != cluster.NodeDead {
		return n.changeState(ctx, store.NodeChange{Node: node, To: cluster.NodeDead, User: user, Why: why})
	}
	done, err := n.cfg.Store.DeclareDead(ctx, node, user, why)
	if err != nil || !done {
		return done, err
	}
	n.cfg.Log.Warn("a node that is dead was declared to be", "node", node.Name, "why", why)
	return true, n.appsChanged(ctx, node)
}
