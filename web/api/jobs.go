package api

import (
	"context"
	"net/http"

	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/view"
	"aorta/web/wire"
)

func (a *API) jobRoutes(h *rest.API) {
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/jobs", Summary: "Search operations, newest first", Role: access.Viewer, Subject: access.OnWorkspace}, a.listJobs)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/jobs/{id}", Summary: "Show a job tree", Role: access.Viewer, Subject: access.OnApp}, a.showJob)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/jobs/{id}/log", Summary: "Read the log of a job tree", Role: access.Viewer, Subject: access.OnApp}, a.jobLog)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/jobs/{id}/abort", Summary: "Cancel a job tree", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.abortJob)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/jobs/{id}/retry", Summary: "Retry a failed or cancelled job, as a new job", Role: access.Developer, Subject: access.OnApp, Status: http.StatusAccepted}, a.retryJob)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/jobs/{id}/discard", Summary: "Discard a failed or cancelled job and what is kept for its retry", Role: access.Developer, Subject: access.OnApp}, a.discardJob)
}

func (a *API) showJob(ctx context.Context, in *access.JobPath) (*rest.Reply[wire.Job], error) {
	return rest.OK(a.view.Tree(ctx, in.Operation()))
}

func (a *API) jobLog(ctx context.Context, in *access.JobPath) (*rest.Reply[wire.Page[wire.JobLogLine]], error) {
	lines, err := a.pace.Following.TreeLog(ctx, in.Operation())
	if err != nil {
		return nil, err
	}
	page := wire.Page[wire.JobLogLine]{Items: []wire.JobLogLine{}}
	for _, l := range lines {
		page.Items = append(page.Items, view.JobLine(l.Job, l.Line))
	}
	return rest.OK(page, nil)
}

func (a *API) abortJob(ctx context.Context, in *access.JobPath) (*rest.Reply[wire.Accepted], error) {
	op := in.Operation()
	return rest.Accepted(op, a.pace.Abort(ctx, op, auth.User(ctx).Name))
}

func (a *API) retryJob(ctx context.Context, in *access.JobPath) (*rest.Reply[wire.Accepted], error) {
	return rest.Accepted(a.pace.Retry(ctx, in.Operation(), auth.User(ctx).Name))
}

func (a *API) discardJob(ctx context.Context, in *access.JobPath) (*rest.Reply[wire.Job], error) {
	op, err := a.pace.Discard(ctx, in.Operation(), auth.User(ctx).Name)
	if err != nil {
		return nil, err
	}
	return rest.OK(a.view.Tree(ctx, op))
}
