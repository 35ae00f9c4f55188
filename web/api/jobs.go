package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/jobs"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// JobPath is an operation on one job tree.
type JobPath struct {
	ID string `path:"id" maxLength:"40"`
}

type followJob struct {
	JobPath
	Last string `header:"Last-Event-ID" maxLength:"16384"`
}

func (a *API) jobRoutes(h huma.API) {
	register(h, a, route{method: get, path: "/jobs", summary: "Search operations, newest first", policy: viewers}, a.listJobs)
	register(h, a, route{method: get, path: "/jobs/{id}", summary: "Show a job tree", policy: viewers}, a.showJob)
	register(h, a, route{method: get, path: "/jobs/{id}/log", summary: "Read the log of a job tree", policy: viewers}, a.jobLog)
	register(h, a, route{method: get, path: "/jobs/{id}/events", summary: "Follow a job tree (Server-Sent Events: job, log, end)", policy: viewers}, a.followJob)
	register(h, a, route{method: post, path: "/jobs/{id}/abort", summary: "Abort a job tree", policy: developers, status: http.StatusAccepted}, a.abortJob)
	register(h, a, route{method: post, path: "/jobs/{id}/retry", summary: "Do again, as a new job, what one was asked to do that failed or was aborted", policy: developers, status: http.StatusAccepted}, a.retryJob)
	register(h, a, route{method: post, path: "/jobs/{id}/discard", summary: "Let go of a job that failed or was aborted, and of what is kept for its retry", policy: developers}, a.discardJob)
}

// operation finds an operation by its id, or by the short form of it.
func (a *API) operation(ctx context.Context, p JobPath) (cluster.Operation, error) {
	op, err := a.store.FindOperation(ctx, p.ID)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return op, cluster.NotFound("job %.40q does not exist (list jobs with: aorta jobs)", p.ID)
	}
	return op, err
}

func (a *API) showJob(ctx context.Context, in *JobPath) (*reply[wire.Job], error) {
	op, err := a.operation(ctx, *in)
	if err != nil {
		return nil, err
	}
	return ok(a.wholeWire(ctx, op))
}

// wholeWire shows an operation with its whole tree.
func (a *API) wholeWire(ctx context.Context, op cluster.Operation) (wire.Job, error) {
	root, err := a.rootWire(ctx, op)
	if err != nil {
		return root, err
	}
	tree, err := a.pace.Tree(ctx, op)
	if errors.Is(err, jobs.ErrNotFound) {
		return root, nil // it waits for its turn
	}
	if err != nil || tree.Jobs[tree.ID] == nil {
		return root, err
	}
	shown := treeWire(tree, tree.ID)
	root.Children, root.Progress, root.Attempt, root.StartedAt = shown.Children, shown.Progress, shown.Attempt, shown.StartedAt
	root.Release, root.Node = shown.Release, shown.Node
	if op.State == cluster.OperationOpen {
		root.Error = shown.Error
	}
	return root, nil
}

func treeWire(t *jobs.Tree, id string) wire.Job {
	j := jobWire(*t.Jobs[id])
	for _, child := range t.Children(id) {
		j.Children = append(j.Children, treeWire(t, child.ID))
	}
	return j
}

func jobWire(j jobs.Job) wire.Job {
	return wire.Job{
		ID: j.ID, Parent: j.Parent, Kind: j.Kind, Title: j.Title, App: j.Subject.App, Release: j.Subject.Release, Node: j.Subject.Node,
		State: string(j.State), Attempt: j.Attempt, Progress: wire.Progress(j.Progress), Error: j.Error,
		CreatedAt: timeOrNil(j.Created), StartedAt: timeOrNil(j.Started), EndedAt: timeOrNil(j.Ended), Children: []wire.Job{},
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a *API) jobLog(ctx context.Context, in *JobPath) (*reply[wire.Page[wire.JobLogLine]], error) {
	op, err := a.operation(ctx, *in)
	if err != nil {
		return nil, err
	}
	lines, err := a.pace.TreeLog(ctx, op)
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.JobLogLine]{Items: []wire.JobLogLine{}}
	for _, l := range lines {
		page.Items = append(page.Items, lineOfJob(l.Job, l.Line))
	}
	return ok(page, nil)
}

func lineOfJob(job string, l pacemaker.JobLine) wire.JobLogLine {
	return wire.JobLogLine{Cursor: l.Cursor, Job: job, Time: l.Time, Text: l.Text}
}

func (a *API) followJob(ctx context.Context, in *followJob) (*huma.StreamResponse, error) {
	op, err := a.operation(ctx, in.JobPath)
	if err != nil {
		return nil, err
	}
	after, err := pacemaker.ParseMark("Last-Event-ID", in.Last)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		s := openStream(hc)
		err := a.pace.Follow(ctx, op.ID, after, func(u pacemaker.Update) error { return a.sendUpdate(ctx, s, u) })
		if err != nil && ctx.Err() == nil {
			a.Log.Warn("a job's event stream ended early", "job", op.ID, "err", err)
		}
	}}, nil
}

func (a *API) sendUpdate(ctx context.Context, s *eventStream, u pacemaker.Update) error {
	e, err := a.updateEvent(ctx, u)
	switch {
	case err != nil:
		return err
	case e.name == "":
		return s.beat()
	}
	return s.send(e.name, e.id, e.value)
}

// updateEvent is how an update is told; one that says nothing has no name.
func (a *API) updateEvent(ctx context.Context, u pacemaker.Update) (ownEvent, error) {
	switch {
	case u.Job != nil:
		j := jobWire(*u.Job)
		j.WaitsFor = aheadWire(u.Waits)
		return ownEvent{name: "job", value: j}, nil
	case u.Line != nil:
		return ownEvent{"log", u.Mark.String(), lineOfJob(u.LineOf, *u.Line)}, nil
	case u.End != nil:
		root, err := a.rootWire(ctx, *u.End)
		return ownEvent{name: "end", value: root}, err
	}
	return ownEvent{}, nil
}

func (a *API) abortJob(ctx context.Context, in *JobPath) (*reply[wire.Accepted], error) {
	op, err := a.operation(ctx, *in)
	if err != nil {
		return nil, err
	}
	return accepted(op, a.pace.Abort(ctx, op, userOf(ctx).Name))
}

func (a *API) retryJob(ctx context.Context, in *JobPath) (*reply[wire.Accepted], error) {
	op, err := a.operation(ctx, *in)
	if err != nil {
		return nil, err
	}
	return accepted(a.pace.Retry(ctx, op, userOf(ctx).Name))
}

func (a *API) discardJob(ctx context.Context, in *JobPath) (*reply[wire.Job], error) {
	op, err := a.operation(ctx, *in)
	if err != nil {
		return nil, err
	}
	if op, err = a.pace.Discard(ctx, op, userOf(ctx).Name); err != nil {
		return nil, err
	}
	return ok(a.wholeWire(ctx, op))
}
