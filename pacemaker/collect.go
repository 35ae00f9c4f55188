package pacemaker

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/images"
)

// collection remembers what is to be looked at for images that nothing needs. All
// of it can be lost: nodes report their images again within a minute.
type collection struct {
	mu    sync.Mutex // guards all below
	due   bool       // something has changed that images may be kept for
	asked map[cluster.ID][]string
}

func newCollection() *collection { return &collection{asked: map[cluster.ID][]string{}} }

func (c *collection) mark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = true
}

// again forgets what removals were begun for.
func (c *collection) again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = true
	clear(c.asked)
}

func (c *collection) takeDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.due
	c.due = false
	return due
}

// fresh says that a node has images to remove that it was not yet asked to. One
// whose removal fails is asked for once a day.
func (c *collection) fresh(node cluster.ID, ids []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.asked[node]
	c.asked[node] = ids
	return slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(before, id) })
}

// imagesReported has a node's images looked at.
func (p *Pacemaker) imagesReported(cluster.ID) {
	p.collect.mark()
	p.written.Notify()
}

// collectImages begins the removal of what nothing needs on each node that has
// reported such images, unless a removal is under way there.
func (p *Pacemaker) collectImages(ctx context.Context, open []cluster.Operation) error {
	if !p.collect.takeDue() {
		return nil
	}
	all, err := p.Images.All(ctx)
	if err != nil {
		p.collect.mark()
		return err
	}
	for _, on := range all {
		if pruning(open, on.Node) {
			continue // its end has them looked at again
		}
		ids := collectable(on, "")
		if !p.collect.fresh(on.Node, ids) {
			continue
		}
		if err := p.beginPrune(ctx, on, len(ids)); err != nil {
			return err
		}
	}
	return nil
}

func pruning(open []cluster.Operation, node cluster.ID) bool {
	return slices.ContainsFunc(open, func(op cluster.Operation) bool {
		return op.Kind == cluster.OpPrune && (op.NodeID == node || op.NodeID == "")
	})
}

// collectable names the images on a node that will be removed, of an app or of all.
func collectable(on images.OnNode, app cluster.ID) []string {
	var ids []string
	for _, f := range on.Fates {
		if f.Collect && (app == "" || f.App == app) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func (p *Pacemaker) beginPrune(ctx context.Context, on images.OnNode, n int) error {
	node, err := p.store.Node(ctx, on.Node)
	if err != nil || p.Nodes.Unheard(node) {
		return err
	}
	_, err = p.begin(ctx, cluster.Operation{
		Kind: cluster.OpPrune, NodeID: on.Node, Args: cluster.Request{}.Encode(),
		Title: fmt.Sprintf("Remove %s from %s", counted(n, "old image"), node.Name),
	})
	return err
}

// PruneImages begins the removal of what nothing needs, of an app or (zero) of the
// whole cluster, on every node with such images and in the registry. Without any it
// begins nothing, and the operation has no id.
func (p *Pacemaker) PruneImages(ctx context.Context, app cluster.App, user string) (cluster.Operation, error) {
	all, err := p.Images.All(ctx)
	if err != nil {
		return cluster.Operation{}, err
	}
	n, err := p.collectableInRegistry(ctx, app.ID)
	if err != nil {
		return cluster.Operation{}, err
	}
	args := cluster.Request{Registry: n > 0}
	for _, on := range all {
		if ids := collectable(on, app.ID); len(ids) > 0 {
			args.Nodes = append(args.Nodes, on.Node)
			n += len(ids)
		}
	}
	if n == 0 {
		return cluster.Operation{}, nil
	}
	title := "Remove " + counted(n, "old image")
	if app.ID != "" {
		title += " of " + app.Name
	}
	return p.begin(ctx, cluster.Operation{Kind: cluster.OpPrune, AppID: app.ID, Title: title, User: user, Args: args.Encode()})
}

// collectableInRegistry counts the images in the registry that will be removed, of an
// app or of all.
func (p *Pacemaker) collectableInRegistry(ctx context.Context, app cluster.ID) (n int, err error) {
	fates, err := p.Images.InRegistry(ctx)
	for _, f := range fates {
		if f.Collect && (app == "" || f.App == app) {
			n++
		}
	}
	return n, err
}
