package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/internal/tick"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// reconcileEvery is the tick of the reconciler; a change makes it sooner.
const reconcileEvery = 2 * time.Second

// reconcileLoop compares what is with what should be, over and over: open
// operations have their trees, what drains is being stopped, what is missing
// is started again, images that nothing needs are removed.
func (p *Pacemaker) reconcileLoop(ctx context.Context) error {
	failing := false
	for {
		changed := p.written.C()
		err := p.reconcile(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing {
			p.log.Error("reconciling failed; it goes on with the next tick", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(tick.Until(reconcileEvery)):
		}
	}
}

func (p *Pacemaker) reconcile(ctx context.Context) error {
	// Taken before the operations are read: one that ends in between marks its
	// app once more.
	check := p.missing.due(p.cfg.Now())
	open, err := p.store.OpenOperations(ctx)
	if err != nil {
		p.missing.putBack(check)
		return err
	}
	way := errors.Join(p.endDrains(ctx, open), p.makeWay(ctx, open), p.supersedeStranded(ctx, open))
	planted, retired, replaced := p.plantTrees(ctx, open), p.retireAll(ctx), p.replaceMissing(ctx, check, open)
	if replaced != nil {
		p.missing.putBack(check)
	}
	return errors.Join(way, planted, retired, replaced, p.collectImages(ctx, open))
}

// plantTrees gives each open operation that may begin its tree, unless it has one.
// Operations of an app that exclude one another take turns.
func (p *Pacemaker) plantTrees(ctx context.Context, open []cluster.Operation) error {
	var errs []error
	ofApp := map[cluster.ID][]cluster.Operation{}
	for _, op := range open {
		ofApp[op.AppID] = append(ofApp[op.AppID], op)
	}
	for _, op := range open {
		if !cluster.MayBegin(ofApp[op.AppID], op) {
			continue
		}
		if err := p.plant(ctx, op); err != nil {
			errs = append(errs, fmt.Errorf("begin %q: %w", op.Title, err))
		}
	}
	return errors.Join(errs...)
}

// plant gives an operation its tree, unless it has one.
func (p *Pacemaker) plant(ctx context.Context, op cluster.Operation) error {
	tree, err := p.jobs.Tree(ctx, string(op.ID))
	if err == nil && op.AbortReason != "" && tree.Stop == nil {
		// The pacemaker ended between the two; the tree may have ended since.
		err = p.jobs.Abort(ctx, string(op.ID), op.AbortReason)
		p.log.Info("an abort is done again", "operation", op.ID, "err", err)
		return nil
	}
	if err == nil || !errors.Is(err, jobs.ErrNotFound) {
		return err
	}
	return p.plantNew(ctx, op)
}

// plantNew gives an operation without a tree its own. An abort comes before that or
// after it: it would end the operation otherwise, and the tree would go on.
func (p *Pacemaker) plantNew(ctx context.Context, op cluster.Operation) error {
	p.planting.Lock()
	defer p.planting.Unlock()
	// An ended tree is deleted after its operation was closed: read again, so
	// that one which ended just now is not planted a second time.
	op, err := p.store.Operation(ctx, op.ID)
	if err != nil || op.State != cluster.OperationOpen {
		return err
	}
	if op.AbortReason != "" {
		return p.endUnplanted(ctx, op, op.AbortReason)
	}
	retired, err := p.store.InstancesRetiredBy(ctx, op.ID)
	if err != nil {
		return err
	}
	subject, err := p.subject(ctx, op)
	if err != nil {
		return err
	}
	spec, err := p.treeOf(op, subject, retired)
	if err != nil {
		return err
	}
	return p.jobs.Add(ctx, spec, string(op.ID))
}

func (p *Pacemaker) subject(ctx context.Context, op cluster.Operation) (jobs.Subject, error) {
	var s jobs.Subject
	if op.AppID != "" {
		app, err := p.store.AppByID(ctx, op.AppID)
		if err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
			return s, err
		}
		s.App = app.Name
	}
	if op.NodeID != "" {
		node, err := p.store.Node(ctx, op.NodeID)
		if err != nil {
			return s, err
		}
		s.Node = node.Name
	}
	return s, nil
}

// retireAll begins the stop of everything that drains or has failed and that
// no operation stops yet.
func (p *Pacemaker) retireAll(ctx context.Context) error {
	apps, err := p.store.AppsToRetire(ctx)
	if err != nil {
		return err
	}
	var began []cluster.ID
	for _, id := range apps {
		name := p.nameOf(ctx, id)
		for more := true; more; {
			r, err := p.store.BeginRetire(ctx, id, func(n int) string { return fmt.Sprintf("Stop %s of %s", counted(n, "instance"), name) })
			if err != nil {
				return err
			}
			if more = r != nil; more {
				began = append(began, id)
			}
		}
	}
	if len(began) > 0 {
		p.rerouted(began...)
	}
	return nil
}

// nameOf is what people call an app, also one that is gone.
func (p *Pacemaker) nameOf(ctx context.Context, id cluster.ID) string {
	if app, err := p.store.AppByID(ctx, id); err == nil {
		return app.Name
	}
	return "a removed app"
}

// counted is a number with its noun in the right form.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
