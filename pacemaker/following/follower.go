package following

import (
	"context"
	"errors"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/steps"
)

// follower is one Follow: what it has emitted so far.
type follower struct {
	from     *Following
	id       cluster.ID
	emit     func(Update) error
	tree     *jobs.Tree
	jobs     map[string]jobs.Job   // as emitted last
	steps    map[string]steps.Step // likewise
	position Position
	waits    cluster.ID // whose end it waits for, as emitted last
	newest   uint64     // millisecond of the newest line that any poll has found
	sent     time.Time  // when anything was emitted last
}

func (f *follower) send(u Update) error {
	f.sent = f.from.cfg.Now()
	return f.emit(u)
}

func (f *follower) wait(ctx context.Context, events <-chan Event, changed <-chan struct{}, tick <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e, ok := <-events:
			if ok && !e.concerns(f.tree) {
				continue
			}
			if !ok {
				events = nil
				continue
			}
		case <-changed:
		case <-tick:
		}
		return nil
	}
}

// poll reads the operation and its tree and emits what is new. What an
// operation that has ended was is in its archive, whole.
func (f *follower) poll(ctx context.Context) (ended bool, err error) {
	op, err := f.from.cfg.Store.Operation(ctx, f.id)
	if err != nil {
		return false, err
	}
	if op.State != cluster.OperationOpen {
		return true, f.finish(ctx, op)
	}
	tree, err := f.from.cfg.Jobs.Tree(ctx, string(f.id))
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		err = f.emitWaiting(ctx, op)
	case err == nil:
		err = f.emitTree(ctx, op, tree)
	default:
		err = nil // the jobs Redis is away: its state comes when it is back
	}
	if err == nil && f.from.cfg.Now().Sub(f.sent) >= quietFor {
		err = f.send(Update{})
	}
	return false, err
}

// emitWaiting says whose end the operation waits for, whenever that changes.
// Without anybody it is being planted.
func (f *follower) emitWaiting(ctx context.Context, op cluster.Operation) error {
	first, err := f.from.waitsFor(ctx, op)
	if err != nil || first == nil || first.ID == f.waits {
		return err
	}
	f.waits = first.ID
	return f.send(Update{Job: RootJob(op, jobs.Waiting), Waits: first})
}

func (f *follower) emitTree(ctx context.Context, op cluster.Operation, tree *jobs.Tree) error {
	f.tree = tree
	if err := f.emitJobs(tree); err != nil {
		return err
	}
	// What is older than the newest line of the polls before is in the logs by
	// now, and so read by this poll.
	settled, whole := f.newest, true
	err := f.emitSteps(steps.Of(op.Kind, tree), tree, func(job string) error {
		read, err := f.emitLog(ctx, tree.Jobs[job])
		whole = whole && read
		return err
	})
	if whole && err == nil {
		f.position.before = max(f.position.before, settled)
	}
	return err
}

// emitLog emits what is new in a job's log; read is false if it has to be read
// again by the next poll.
func (f *follower) emitLog(ctx context.Context, j *jobs.Job) (read bool, err error) {
	if j.Attempt == 0 {
		return true, nil
	}
	lines, err := f.from.cfg.Jobs.Log(ctx, j.ID, f.position.of(j.ID))
	if err != nil {
		return false, nil
	}
	for _, l := range lines {
		f.newest = max(f.newest, cursorParts(l.Cursor)[0])
		if err := f.emitLine(j.ID, l); err != nil {
			return true, err
		}
	}
	return true, nil
}

func (f *follower) emitJobs(tree *jobs.Tree) error {
	for _, id := range inOrder(tree) {
		now, before := *tree.Jobs[id], f.jobs[id]
		if before.ID != "" && before.State == now.State && before.Progress == now.Progress && before.Attempt == now.Attempt && before.Error == now.Error {
			continue
		}
		f.jobs[id] = now
		if err := f.send(Update{Job: &now}); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) emitLine(job string, l Line) error {
	f.position.jobs[job] = l.Cursor
	return f.send(Update{Line: &l, LineOf: job, Position: f.position})
}

func (f *follower) finish(ctx context.Context, op cluster.Operation) error {
	tree, lines, err := f.from.Archived(ctx, op.ID)
	if err != nil {
		return err
	}
	byJob := map[string][]Line{}
	for _, l := range lines {
		if cursorLess(f.position.of(l.Job), l.Line.Cursor) {
			byJob[l.Job] = append(byJob[l.Job], l.Line)
		}
	}
	list, err := f.from.Steps(ctx, op, tree)
	if err != nil {
		return err
	}
	err = f.emitSteps(list, tree, func(job string) error {
		for _, l := range byJob[job] {
			if err := f.emitLine(job, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := f.emitJobs(tree); err != nil {
		return err
	}
	return f.send(Update{End: &op})
}

// inOrder lists a tree's jobs as they happen: children before their parent.
func inOrder(t *jobs.Tree) []string {
	var out []string
	var visit func(id string, depth int)
	visit = func(id string, depth int) {
		if depth > jobs.MaxDepth+2 {
			return
		}
		for _, child := range t.Children(id) {
			visit(child.ID, depth+1)
		}
		out = append(out, id)
	}
	if t.Jobs[t.ID] != nil {
		visit(t.ID, 0)
	}
	return out
}
