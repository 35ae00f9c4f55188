package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// reconcileEvery is the tick of the reconciler; the bell makes it sooner.
const reconcileEvery = 2 * time.Second

// reconcileLoop compares what is with what should be, over and over: open
// operations have their trees, what drains is being stopped, what is missing
// is started again.
func (p *Pacemaker) reconcileLoop(ctx context.Context) error {
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	failing := false
	for {
		rung := p.todo.wait()
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
		case <-rung:
		case <-tick.C:
		}
	}
}

func (p *Pacemaker) reconcile(ctx context.Context) error {
	open, err := p.store.OpenOperations(ctx)
	if err != nil {
		return err
	}
	return errors.Join(p.plantTrees(ctx, open), p.retireAll(ctx), p.replaceMissing(ctx, open))
}

// plantTrees gives each open operation whose turn it is its tree, unless it
// has one. Exclusive operations of an app take turns in the order they came.
func (p *Pacemaker) plantTrees(ctx context.Context, open []cluster.Operation) error {
	var errs []error
	busy := map[cluster.ID]bool{}
	for _, op := range open {
		if op.Kind.Exclusive() {
			if busy[op.AppID] {
				continue
			}
			busy[op.AppID] = true
		}
		if err := p.plant(ctx, op); err != nil {
			errs = append(errs, fmt.Errorf("begin %q: %w", op.Title, err))
		}
	}
	return errors.Join(errs...)
}

func (p *Pacemaker) plant(ctx context.Context, op cluster.Operation) error {
	_, err := p.jobs.Tree(ctx, string(op.ID))
	if err == nil || !errors.Is(err, jobs.ErrNotFound) {
		return err
	}
	// An ended tree is deleted after its operation was closed: read again, so
	// that one which ended just now is not planted a second time.
	if op, err = p.store.Operation(ctx, op.ID); err != nil || op.State != cluster.OperationOpen {
		return err
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
	began := false
	for _, id := range apps {
		name := "a removed app"
		if app, err := p.store.AppByID(ctx, id); err == nil {
			name = app.Name
		}
		r, err := p.store.BeginRetire(ctx, id, func(n int) string { return fmt.Sprintf("Stop %s of %s", counted(n, "instance"), name) })
		if err != nil {
			return err
		}
		began = began || r != nil
	}
	if began {
		p.publish.wake()
		p.announce()
	}
	return nil
}

// replaceMissing starts what an app lacks, unless an operation is at it
// already, and more slowly the more of its kind have failed lately.
func (p *Pacemaker) replaceMissing(ctx context.Context, open []cluster.Operation) error {
	at := map[cluster.ID]bool{}
	for _, op := range open {
		at[op.AppID] = at[op.AppID] || op.Kind.Exclusive() || op.Kind == cluster.OpReplace
	}
	apps, err := p.store.Apps(ctx, "", -1)
	if err != nil {
		return err
	}
	for _, app := range apps {
		if at[app.ID] || app.Stopped || app.Destroying {
			continue
		}
		if err := p.replaceIn(ctx, app); err != nil {
			return fmt.Errorf("replace instances of %s: %w", app.Name, err)
		}
	}
	return nil
}

func (p *Pacemaker) replaceIn(ctx context.Context, app cluster.App) error {
	w := work{app: app, op: cluster.Operation{Kind: cluster.OpReplace}}
	var err error
	if w.asked, err = p.store.Formations(ctx, app.ID); err != nil {
		return err
	}
	if err := p.aim(ctx, &w); err != nil || w.release.ID == "" {
		return err
	}
	list, err := p.store.Instances(ctx, app.ID)
	if err != nil {
		return err
	}
	types, total, err := p.replaceable(ctx, w.release.ID, plan.Missing(w.target, list))
	if err != nil || total == 0 {
		return err
	}
	op := cluster.Operation{
		ID: cluster.NewID(), Kind: cluster.OpReplace, AppID: app.ID, Args: opArgs{Types: types}.encode(),
		Title: fmt.Sprintf("Replace %s of %s", counted(total, "missing instance"), app.Name),
	}
	if err := p.store.Begin(ctx, op, store.IfIdle()); err != nil {
		return err
	}
	p.announce()
	return nil
}

// replaceable picks what may be started now: one process type that keeps
// failing holds up no other.
func (p *Pacemaker) replaceable(ctx context.Context, release cluster.ID, missing map[string]int) (types []string, total int, err error) {
	for _, typ := range slices.Sorted(maps.Keys(missing)) {
		wait, err := p.holdOff(ctx, release, typ)
		if err != nil {
			return nil, 0, err
		}
		if !wait {
			types, total = append(types, typ), total+missing[typ]
		}
	}
	return types, total, nil
}

// holdOff spaces out replacements of what keeps failing: after n failures in
// ten minutes the next one waits 2^n seconds, five minutes at most.
func (p *Pacemaker) holdOff(ctx context.Context, release cluster.ID, typ string) (bool, error) {
	now := p.cfg.Now()
	n, last, err := p.store.RecentFailures(ctx, release, typ, now.Add(-10*time.Minute))
	if err != nil || n == 0 {
		return false, err
	}
	pause := min(time.Second<<min(n, 9), 5*time.Minute)
	return now.Sub(last) < pause, nil
}

// counted is a number with its noun in the right form.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
