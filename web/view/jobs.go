package view

import (
	"context"
	"errors"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/pacemaker/steps"
	"aorta/web/wire"
)

// Root shows an operation as the root of its tree, without children.
func (v *Views) Root(ctx context.Context, op cluster.Operation) (wire.Job, error) {
	list, err := v.Roots(ctx, []cluster.Operation{op})
	if err != nil {
		return wire.Job{}, err
	}
	return list[0], nil
}

// Roots shows operations like Root.
func (v *Views) Roots(ctx context.Context, ops []cluster.Operation) ([]wire.Job, error) {
	roots, err := v.pace.Following.Roots(ctx, ops...)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Job, len(roots))
	for i, r := range roots {
		out[i] = wire.Job{
			ID: string(r.ID), Kind: string(r.Kind), Title: r.Title, App: r.App, AppID: string(r.AppID), User: r.User,
			State: string(r.JobState), Error: r.Error, CreatedAt: &r.CreatedAt, EndedAt: r.EndedAt, Children: []wire.Job{},
			Cause: string(r.Cause), Reason: r.Reason, RetryOf: string(r.RetryOf), WaitsFor: Ahead(r.WaitsFor), Attention: r.Attention,
			DiscardedAt: r.DiscardedAt, DiscardedBy: r.DiscardedBy,
		}
	}
	return out, nil
}

// Ahead is the operation whose turn it is first; nil for none.
func Ahead(first *cluster.Operation) *wire.Ahead {
	if first == nil {
		return nil
	}
	return &wire.Ahead{ID: string(first.ID), Title: first.Title, User: first.User, Since: first.CreatedAt}
}

// Tree shows an operation with its whole tree.
func (v *Views) Tree(ctx context.Context, op cluster.Operation) (wire.Job, error) {
	root, err := v.Root(ctx, op)
	if err != nil {
		return root, err
	}
	tree, err := v.pace.Following.Tree(ctx, op)
	if errors.Is(err, jobs.ErrNotFound) {
		return root, nil // it waits for its turn
	}
	if err != nil || tree.Jobs[tree.ID] == nil {
		return root, err
	}
	list, err := v.pace.Following.Steps(ctx, op, tree)
	if err != nil {
		return root, err
	}
	root.Steps = stepsOf(list)
	shown := subtree(tree, tree.ID)
	root.Children, root.Progress, root.Attempt, root.StartedAt = shown.Children, shown.Progress, shown.Attempt, shown.StartedAt
	root.Release, root.Node = shown.Release, shown.Node
	if op.State == cluster.OperationOpen {
		root.Error = shown.Error
	}
	return root, nil
}

func subtree(t *jobs.Tree, id string) wire.Job {
	j := Job(*t.Jobs[id])
	for _, child := range t.Children(id) {
		j.Children = append(j.Children, subtree(t, child.ID))
	}
	return j
}

// Job is one job without its children.
func Job(j jobs.Job) wire.Job {
	return wire.Job{
		ID: j.ID, Parent: j.Parent, Kind: j.Kind, Title: j.Title, App: j.Subject.App, Release: j.Subject.Release, Node: j.Subject.Node,
		State: string(j.State), Attempt: j.Attempt, Progress: wire.Progress(j.Progress), Error: j.Error,
		CreatedAt: timeOrNil(j.Created), StartedAt: timeOrNil(j.Started), EndedAt: timeOrNil(j.Ended), Children: []wire.Job{},
	}
}

// Step shows a step with its lines.
func Step(s steps.Step) wire.Step {
	return wire.Step{
		ID: s.ID, Parent: s.Parent, Index: s.Index, Name: s.Name, State: s.State, Attempt: s.Attempt, Progress: wire.Progress(s.Progress),
		Error: s.Error, StartedAt: timeOrNil(s.Started), EndedAt: timeOrNil(s.Ended), Jobs: s.Jobs, Children: stepsOf(s.Children),
	}
}

func stepsOf(list []steps.Step) []wire.Step {
	out := make([]wire.Step, len(list))
	for i, s := range list {
		out[i] = Step(s)
	}
	return out
}

// JobLine is a line of a job's log.
func JobLine(job string, l following.Line) wire.JobLogLine {
	return wire.JobLogLine{Cursor: l.Cursor, Job: job, Time: l.Time, Text: l.Text}
}
