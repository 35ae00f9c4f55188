package api

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/rest"
	"aorta/web/wire"
)

// listJobs is a search among operations. What is given must all hold.
type listJobs struct {
	App       string `query:"app" maxLength:"64" doc:"name, or the start of the id, which also finds destroyed apps"`
	Kind      string `query:"kind" enum:"deploy,release,scale,restart,stop,retire,replace,destroy,rebuild,prune,drain"`
	State     string `query:"state" enum:"open,succeeded,failed,aborted"`
	Since     string `query:"since" maxLength:"40" doc:"created then or later: a time (RFC 3339), or how long ago, such as 24h"`
	Until     string `query:"until" maxLength:"40" doc:"created before: a time (RFC 3339), or how long ago"`
	Attention bool   `query:"attention" doc:"only failed jobs that need attention"`
	Uncaused  bool   `query:"uncaused" doc:"leave out what another job has caused, unless it failed"`
	By        string `query:"by" enum:"people,aorta" doc:"only what people asked for, or only what Aorta began by itself"`
	Count     bool   `query:"count" doc:"say as total how many match on all pages, at most 10001"`
	rest.Paged
}

// search turns what was asked into the store's terms.
func (a *API) search(ctx context.Context, in *listJobs) (store.OperationQuery, error) {
	q := store.OperationQuery{
		Kind: cluster.OperationKind(in.Kind), State: cluster.OperationState(in.State), Attention: in.Attention, Uncaused: in.Uncaused, By: store.By(in.By),
		Below: cluster.ID(in.Cursor), Limit: in.Limit + 1,
	}
	if err := in.Check(rest.CheckID); err != nil {
		return q, err
	}
	for _, bound := range []struct {
		field, text string
		to          *time.Time
	}{{"since", in.Since, &q.Since}, {"until", in.Until, &q.Until}} {
		if bound.text == "" {
			continue
		}
		at, err := rest.Since(bound.field, bound.text)
		if err != nil {
			return q, err
		}
		*bound.to = at
	}
	if in.Since != "" && in.Until != "" && !q.Since.Before(q.Until) {
		return q, cluster.Invalid("until", "%.40q is not after since", in.Until)
	}
	var err error
	q.App, err = a.appEver(ctx, in.App)
	return q, err
}

// appEver finds the id of an app by its name, and that of one which may be gone
// by the beginning of its id.
func (a *API) appEver(ctx context.Context, name string) (cluster.ID, error) {
	if name == "" {
		return "", nil
	}
	app, err := a.store.App(ctx, name)
	if cluster.CodeOf(err) != cluster.CodeNotFound {
		return app.ID, err
	}
	former, ferr := a.store.FormerApp(ctx, name)
	if cluster.CodeOf(ferr) == cluster.CodeNotFound {
		return "", err
	}
	return former, ferr
}

func (a *API) listJobs(ctx context.Context, in *listJobs) (*rest.Reply[wire.Page[wire.Job]], error) {
	q, err := a.search(ctx, in)
	if err != nil {
		return nil, err
	}
	list, err := a.store.Operations(ctx, q)
	if err != nil {
		return nil, err
	}
	var page wire.Page[wire.Job]
	if len(list) > in.Limit {
		list = list[:in.Limit]
		page.Next = string(list[in.Limit-1].ID)
	}
	if in.Count {
		if page.Total, err = a.store.CountOperations(ctx, q); err != nil {
			return nil, err
		}
	}
	page.Items, err = a.view.Roots(ctx, list)
	return rest.OK(page, err)
}
