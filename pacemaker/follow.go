package pacemaker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Update is one thing that happened to an operation: a job changed, a job
// logged a line, or the operation ended. One of the three is set, or none in an
// update that only says that nothing has happened for a while.
type Update struct {
	Job    *jobs.Job
	Waits  *cluster.Operation // with the root job: whose end it waits for
	Line   *JobLine           // of the job LineOf
	LineOf string
	Mark   Mark // after the line
	End    *cluster.Operation
}

// quietFor is how long Follow says nothing at most.
const quietFor = 15 * time.Second

// Follow tells what happens to an operation until it has ended, beginning with
// all of its jobs as they are and the log lines after the mark. It reads the
// truth again on each wake-up, so nothing is missed while Redis is away.
func (p *Pacemaker) Follow(ctx context.Context, id cluster.ID, after Mark, emit func(Update) error) error {
	f := follower{p: p, id: id, emit: emit, jobs: map[string]jobs.Job{}, told: after, spoke: p.cfg.Now()}
	f.told.jobs = maps.Clone(after.jobs)
	if f.told.jobs == nil {
		f.told.jobs = map[string]string{}
	}
	watchCtx, stop := context.WithCancel(ctx)
	defer stop()
	events := p.jobs.Watch(watchCtx)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		rung := p.todo.wait()
		ended, err := f.look(ctx)
		if err != nil || ended {
			return err
		}
		if err := f.wait(ctx, events, rung, tick.C); err != nil {
			return err
		}
	}
}

type follower struct {
	p      *Pacemaker
	id     cluster.ID
	emit   func(Update) error
	tree   *jobs.Tree
	jobs   map[string]jobs.Job // as emitted last
	told   Mark
	waits  cluster.ID // whose end it waits for, as emitted last
	newest uint64     // millisecond of the newest line that any look has found
	spoke  time.Time  // when anything was emitted last
}

func (f *follower) say(u Update) error {
	f.spoke = f.p.cfg.Now()
	return f.emit(u)
}

func (f *follower) wait(ctx context.Context, events <-chan JobEvent, rung <-chan struct{}, tick <-chan time.Time) error {
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
		case <-rung:
		case <-tick:
		}
		return nil
	}
}

// look reads the operation and its tree and emits what is new. An operation
// that has ended is told from its archive, which has all.
func (f *follower) look(ctx context.Context) (ended bool, err error) {
	op, err := f.p.store.Operation(ctx, f.id)
	if err != nil {
		return false, err
	}
	if op.State != cluster.OperationOpen {
		return true, f.finish(ctx, op)
	}
	tree, err := f.p.jobs.Tree(ctx, string(f.id))
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		err = f.emitWaiting(ctx, op)
	case err == nil:
		err = f.emitTree(ctx, tree)
	default:
		err = nil // the jobs Redis is away: its state comes when it is back
	}
	if err == nil && f.p.cfg.Now().Sub(f.spoke) >= quietFor {
		err = f.say(Update{})
	}
	return false, err
}

// emitWaiting tells whose end the operation waits for, whenever that changes.
// Without anybody it is being planted.
func (f *follower) emitWaiting(ctx context.Context, op cluster.Operation) error {
	first, err := f.p.waitsFor(ctx, op)
	if err != nil || first == nil || first.ID == f.waits {
		return err
	}
	f.waits = first.ID
	return f.say(Update{Job: rootJob(op, jobs.Waiting), Waits: first})
}

func (f *follower) emitTree(ctx context.Context, tree *jobs.Tree) error {
	f.tree = tree
	if err := f.emitJobs(tree); err != nil {
		return err
	}
	return f.emitLogs(ctx, tree)
}

func (f *follower) emitLogs(ctx context.Context, tree *jobs.Tree) error {
	// What is older than the newest line of the looks before is in the logs by
	// now, and so read by this look.
	settled, whole := f.newest, true
	for _, id := range inOrder(tree) {
		if tree.Jobs[id].Attempt == 0 {
			continue
		}
		lines, err := f.p.jobs.Log(ctx, id, f.told.of(id))
		if err != nil {
			whole = false
			continue // read again with the next look
		}
		for _, l := range lines {
			f.newest = max(f.newest, cursorParts(l.Cursor)[0])
			if err := f.emitLine(id, l); err != nil {
				return err
			}
		}
	}
	if whole {
		f.told.before = max(f.told.before, settled)
	}
	return nil
}

func (f *follower) emitJobs(tree *jobs.Tree) error {
	for _, id := range inOrder(tree) {
		now, before := *tree.Jobs[id], f.jobs[id]
		if before.ID != "" && before.State == now.State && before.Progress == now.Progress && before.Attempt == now.Attempt && before.Error == now.Error {
			continue
		}
		f.jobs[id] = now
		if err := f.say(Update{Job: &now}); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) emitLine(job string, l JobLine) error {
	f.told.jobs[job] = l.Cursor
	return f.say(Update{Line: &l, LineOf: job, Mark: f.told})
}

func (f *follower) finish(ctx context.Context, op cluster.Operation) error {
	tree, lines, err := f.p.Archived(ctx, op.ID)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if !cursorLess(f.told.of(l.Job), l.Line.Cursor) {
			continue
		}
		f.told.before = max(f.told.before, cursorParts(l.Line.Cursor)[0])
		if err := f.emitLine(l.Job, l.Line); err != nil {
			return err
		}
	}
	if err := f.emitJobs(tree); err != nil {
		return err
	}
	return f.say(Update{End: &op})
}

// ArchivedLine is one line of a job's log in the archive.
type ArchivedLine struct {
	Job  string  `json:"job"`
	Line JobLine `json:"line"`
}

// sortLines puts lines in the order in which they were written.
func sortLines(lines []ArchivedLine) {
	slices.SortFunc(lines, func(a, b ArchivedLine) int {
		return cmp.Or(slices.Compare(cursorParts(a.Line.Cursor), cursorParts(b.Line.Cursor)), cmp.Compare(a.Job, b.Job))
	})
}

// Archived gives an ended operation's tree and the log of all its jobs, in the
// order in which it was written.
func (p *Pacemaker) Archived(ctx context.Context, id cluster.ID) (*jobs.Tree, []ArchivedLine, error) {
	rawTree, rawLog, err := p.store.Archived(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	var tree jobs.Tree
	if err := json.Unmarshal(rawTree, &tree); err != nil {
		return nil, nil, fmt.Errorf("read the archived tree %s: %w", id, err)
	}
	var lines []ArchivedLine
	if err := json.Unmarshal(rawLog, &lines); err != nil {
		return nil, nil, fmt.Errorf("read the archived log of %s: %w", id, err)
	}
	return &tree, lines, nil
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
