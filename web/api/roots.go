package api

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// listJobs is a search among operations. What is given must all hold.
type listJobs struct {
	App       string `query:"app" maxLength:"64" doc:"name, or the beginning of the id: that also of an app which is no more"`
	Kind      string `query:"kind" enum:"deploy,release,scale,restart,stop,retire,replace,destroy,prune"`
	State     string `query:"state" enum:"open,succeeded,failed,aborted"`
	Since     string `query:"since" maxLength:"40" doc:"asked for then or later: a time (RFC 3339), or how long ago, such as 24h"`
	Until     string `query:"until" maxLength:"40" doc:"asked for before: a time (RFC 3339), or how long ago"`
	Attention bool   `query:"attention" doc:"only what failed and nobody has seen to"`
	Paged
}

// search turns what was asked into the store's terms.
func (a *API) search(ctx context.Context, in *listJobs) (store.OperationQuery, error) {
	q := store.OperationQuery{
		Kind: cluster.OperationKind(in.Kind), State: cluster.OperationState(in.State), Attention: in.Attention,
		Below: cluster.ID(in.Cursor), Limit: in.Limit + 1,
	}
	if err := in.checked(checkID); err != nil {
		return q, err
	}
	for _, bound := range []struct {
		field, text string
		to          *time.Time
	}{{"since", in.Since, &q.Since}, {"until", in.Until, &q.Until}} {
		if bound.text == "" {
			continue
		}
		at, err := sinceOf(bound.field, bound.text)
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

func (a *API) listJobs(ctx context.Context, in *listJobs) (*reply[wire.Page[wire.Job]], error) {
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
	page.Items, err = a.rootsWire(ctx, list)
	return ok(page, err)
}

// rootWire shows an operation as the root of its tree, without children.
func (a *API) rootWire(ctx context.Context, op cluster.Operation) (wire.Job, error) {
	list, err := a.rootsWire(ctx, []cluster.Operation{op})
	if err != nil {
		return wire.Job{}, err
	}
	return list[0], nil
}

func (a *API) rootsWire(ctx context.Context, ops []cluster.Operation) ([]wire.Job, error) {
	roots, err := a.pace.Roots(ctx, ops...)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Job, len(roots))
	for i, r := range roots {
		out[i] = wire.Job{
			ID: string(r.ID), Kind: string(r.Kind), Title: r.Title, App: r.App, AppID: string(r.AppID), User: r.User,
			State: string(r.JobState), Error: r.Error, CreatedAt: &r.CreatedAt, EndedAt: r.EndedAt, Children: []wire.Job{},
			RetryOf: string(r.RetryOf), WaitsFor: aheadWire(r.WaitsFor), Attention: r.Attention,
			DiscardedAt: r.DiscardedAt, DiscardedBy: r.DiscardedBy,
		}
	}
	return out, nil
}

func aheadWire(first *cluster.Operation) *wire.Ahead {
	if first == nil {
		return nil
	}
	return &wire.Ahead{ID: string(first.ID), Title: first.Title, User: first.User, Since: first.CreatedAt}
}
