package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/pacemaker/store"
)

// DrainNode has a node emptied: it gets nothing new, and what runs there is moved, an
// instance of each app at a time. The operation ends once nothing is left there. One
// that is under way is given again.
func (p *Pacemaker) DrainNode(ctx context.Context, node cluster.Node, user string) (cluster.Operation, error) {
	if !node.Has(cluster.RoleHeart) {
		return cluster.Operation{}, cluster.Conflict("node %q runs no instances (its roles: %s): there is nothing to move", node.Name, cluster.RoleNames(node.Roles))
	}
	if err := p.refuseDead(ctx, node); err != nil {
		return cluster.Operation{}, err
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

// refuseDead is a conflict for a node that is dead: nothing can be moved off it, and what
// ran there is replaced without a drain.
func (p *Pacemaker) refuseDead(ctx context.Context, node cluster.Node) error {
	if !node.Lost() {
		return nil
	}
	list, err := p.store.InstancesOn(ctx, node.ID)
	if err != nil {
		return err
	}
	wanted := 0
	for _, in := range list {
		if in.State.Wanted() {
			wanted++
		}
	}
	return cluster.Conflict("node %q is dead, so nothing can be moved off it: %s; if the machine is lost for good, run aorta nodes remove %s, else start it, and drain it once it is back",
		node.Name, overview.Replaced(wanted), node.Name)
}

// endDrains ends the drains of nodes that died or were removed meanwhile: nothing moves
// off these any more.
func (p *Pacemaker) endDrains(ctx context.Context, open []cluster.Operation) error {
	var errs []error
	for _, op := range open {
		if op.Kind != cluster.OpDrain || op.AbortReason != "" {
			continue
		}
		node, err := p.store.Node(ctx, op.NodeID)
		switch {
		case err != nil:
		case node.RemovedAt != nil:
			err = p.abort(ctx, op, "node "+node.Name+" was removed from the cluster")
		case node.Lost():
			err = p.abort(ctx, op, "node "+node.Name+" is dead, so what ran there is replaced elsewhere without a drain")
		}
		if err != nil && cluster.CodeOf(err) != cluster.CodeConflict { // it has just ended by itself
			errs = append(errs, fmt.Errorf("end %q: %w", op.Title, err))
		}
	}
	return errors.Join(errs...)
}

// drainOutcome says of a drain that did not succeed how far it came, and what becomes of
// its node.
func (p *Pacemaker) drainOutcome(ctx context.Context, op cluster.Operation, t *jobs.Tree) (string, error) {
	node, err := p.store.Node(ctx, op.NodeID)
	if err != nil {
		return "", err
	}
	text := "nothing had left it"
	for _, j := range t.Jobs {
		if j.Kind == cluster.JobEmptyNode && j.Progress.M > 0 {
			text = fmt.Sprintf("%d of %s had left it", j.Progress.N, counted(j.Progress.M, "instance"))
		}
	}
	switch {
	case node.RemovedAt != nil:
		return text, nil
	case node.Lost():
		return text + ", and it takes instances again once it is back", nil
	}
	return text + ", and it takes instances again", nil
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
		if node.Lost() || node.RemovedAt != nil {
			return false, nil // the reconciler ends the drain (endDrains)
		}
		if text := strings.Join(stuck, "; "); text != seen.stuck {
			if seen.stuck = text; text != "" {
				r.Log("waits: " + text)
			}
		}
		r.Progress(len(seen.left), len(seen.all), seen.text())
		return len(list) == 0, nil
	})
}

// leaving is what was seen on a node that is emptied.
type leaving struct {
	all   map[cluster.ID]string // what people call the instances seen there that were to move
	left  map[cluster.ID]bool   // those of them that are no longer there
	stops int                   // others that are there, which were stopping already
	stuck string
}

// progress says what has left since the last look.
func (l *leaving) progress(list []cluster.Instance, app func(cluster.ID) string) (lines []string) {
	first := l.all == nil
	if first {
		l.all, l.left = map[cluster.ID]string{}, map[cluster.ID]bool{}
	}
	there := map[cluster.ID]bool{}
	l.stops = 0
	for _, in := range list {
		there[in.ID] = true
		switch {
		case l.all[in.ID] != "":
		case in.State.Wanted():
			l.all[in.ID] = in.Name() + " of " + app(in.AppID)
		default:
			l.stops++
		}
	}
	if first {
		lines = append(lines, counted(len(l.all), "instance")+" to move"+l.stopping())
	}
	for _, id := range slices.Sorted(maps.Keys(l.all)) {
		if !there[id] && !l.left[id] {
			l.left[id] = true
			lines = append(lines, fmt.Sprintf("%s is gone, %d left", l.all[id], len(l.all)-len(l.left)))
		}
	}
	return lines
}

// text says how far the drain is.
func (l *leaving) text() string {
	return fmt.Sprintf("%d of %s gone", len(l.left), counted(len(l.all), "instance")) + l.stopping()
}

// stopping says what else the drain waits for.
func (l *leaving) stopping() string {
	if l.stops == 0 {
		return ""
	}
	return fmt.Sprintf(", %d more stopping already", l.stops)
}
