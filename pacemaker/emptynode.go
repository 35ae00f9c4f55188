package pacemaker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// DrainNode has a node emptied: it gets nothing new, and what runs there is moved, an
// instance of each app at a time. The operation ends once nothing is left there. One
// that is under way is given again.
func (p *Pacemaker) DrainNode(ctx context.Context, node cluster.Node, user string) (cluster.Operation, error) {
	if !node.Has(cluster.RoleHeart) {
		return cluster.Operation{}, cluster.Conflict("node %q runs no instances (its roles: %s): there is nothing to move", node.Name, cluster.RoleNames(node.Roles))
	}
	if open, err := p.openDrain(ctx, node); err != nil || open.ID != "" {
		return open, err
	}
	op, err := p.begin(ctx, cluster.Operation{
		Kind: cluster.OpDrain, NodeID: node.ID, Title: "Drain " + node.Name, User: user, Args: cluster.Request{}.Encode(),
	}, store.WithDraining())
	if err == nil {
		p.checkAll()
	}
	return op, err
}

// UndrainNode lets a node have instances again, and ends its drain.
func (p *Pacemaker) UndrainNode(ctx context.Context, node cluster.Node, user string) error {
	open, err := p.openDrain(ctx, node)
	if err != nil {
		return err
	}
	if open.ID != "" {
		if err := p.abort(ctx, open, "undrained by "+user); err != nil && cluster.CodeOf(err) != cluster.CodeConflict {
			return err
		}
	}
	if err := p.store.Undrain(ctx, node, user); err != nil {
		return err
	}
	p.checkAll()
	return nil
}

// openDrain is the operation that empties a node; zero without one.
func (p *Pacemaker) openDrain(ctx context.Context, node cluster.Node) (cluster.Operation, error) {
	open, err := p.store.OpenOperations(ctx)
	i := slices.IndexFunc(open, func(op cluster.Operation) bool {
		return op.Kind == cluster.OpDrain && op.NodeID == node.ID && op.AbortReason == ""
	})
	if err != nil || i < 0 {
		return cluster.Operation{}, err
	}
	return open[i], nil
}

// emptyNode waits until nothing is left on a node, and says how far it is. What moves
// is begun by the reconciler (moves.go).
func (p *Pacemaker) emptyNode(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.NodeArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	seen := leaving{}
	return nil, p.written.Until(ctx, func() (bool, error) {
		list, err := p.store.InstancesOn(ctx, args.Node)
		if err != nil {
			return false, err
		}
		for _, line := range seen.progress(list, func(id cluster.ID) string { return p.nameOf(ctx, id) }) {
			r.Log(line)
		}
		node, err := p.store.Node(ctx, args.Node)
		if err != nil {
			return false, err
		}
		stuck := p.missing.leaving(args.Node)
		if node.Lost() && len(list) > 0 {
			stuck = append(stuck, node.Name+" is dead: what is left there is stopped once it is back")
		}
		if text := strings.Join(stuck, "; "); text != seen.stuck {
			if seen.stuck = text; text != "" {
				r.Log("waits: " + text)
			}
		}
		r.Progress(len(seen.all)-len(list), len(seen.all), fmt.Sprintf("%d of %s gone", len(seen.all)-len(list), counted(len(seen.all), "instance")))
		return len(list) == 0, nil
	})
}

// leaving is what was seen on a node that is emptied.
type leaving struct {
	all   map[cluster.ID]string // what people call the instances seen there
	left  map[cluster.ID]bool   // those of them that are no longer there
	stuck string
}

// progress says what has left since the last look.
func (l *leaving) progress(list []cluster.Instance, app func(cluster.ID) string) (lines []string) {
	if l.all == nil {
		l.all, l.left = map[cluster.ID]string{}, map[cluster.ID]bool{}
		lines = append(lines, counted(len(list), "instance")+" to move")
	}
	there := map[cluster.ID]bool{}
	for _, in := range list {
		if there[in.ID] = true; l.all[in.ID] == "" {
			l.all[in.ID] = in.Name() + " of " + app(in.AppID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.all)) {
		if !there[id] && !l.left[id] {
			l.left[id] = true
			lines = append(lines, fmt.Sprintf("%s is gone, %d left", l.all[id], len(list)))
		}
	}
	return lines
}
