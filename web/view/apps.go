package view

import (
	"context"
	"maps"
	"slices"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/web/wire"
)

// App is an app with its hosts and how it is.
func (v *Views) App(ctx context.Context, app cluster.App) (wire.App, error) {
	a, err := v.pace.Overview.App(ctx, app)
	if err != nil {
		return wire.App{}, err
	}
	return v.Seen(ctx, a)
}

// Seen is an app that was looked at already.
func (v *Views) Seen(ctx context.Context, app overview.App) (wire.App, error) {
	w := wire.App{
		ID: string(app.ID), Name: app.Name, Stopped: app.Stopped, CreatedAt: app.CreatedAt, Version: app.Version,
		Release: app.Release, State: string(app.State), Severity: string(app.Severity), Verdict: app.Verdict.Text, Instances: app.Running, Wanted: app.Wanted,
		URL: v.URL(app), GitHTTP: v.publicURL + "/git/" + app.Name + ".git", Hosts: []string{}, Grants: app.Grants,
	}
	domains, err := v.store.Domains(ctx, app.ID)
	if err != nil {
		return w, err
	}
	for _, d := range domains {
		w.Hosts = append(w.Hosts, d.Host)
	}
	return w, nil
}

// URL is where an app is reached; empty while its release has no web process.
func (v *Views) URL(app overview.App) string {
	if app.NoWeb {
		return ""
	}
	return v.pace.AppURL(app.App)
}

// Domain is a hostname of an app.
func Domain(app cluster.App, d cluster.Domain) wire.Domain {
	return wire.Domain{Host: d.Host, App: app.Name, Own: d.Own, Former: d.Former, Source: d.OfSource, CreatedAt: d.CreatedAt}
}

// Traffic is the weight of each release of an app that serves.
func (v *Views) Traffic(ctx context.Context, app cluster.App) (map[cluster.ID]int, error) {
	weights, err := v.store.Traffic(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	out := map[cluster.ID]int{}
	for _, w := range weights {
		out[w.Release] = w.Weight
	}
	return out, nil
}

// Release is a release with its share of the traffic.
func Release(r cluster.Release, traffic map[cluster.ID]int) wire.Release {
	return wire.Release{
		Release: r.Label(), ID: string(r.ID), State: string(r.State), Traffic: float64(traffic[r.ID]) * 100 / cluster.FullWeight,
		Image: r.Image.Ref, Commit: r.Commit, CreatedAt: r.CreatedAt, User: r.User, Message: r.Message, Author: r.Author, Error: r.Error,
	}
}

// RollbackPlan names config vars, and shows no value.
func RollbackPlan(p pacemaker.RollbackPlan) wire.RollbackPlan {
	return wire.RollbackPlan{
		From: p.From.Label(), Release: p.To.Label(), Message: p.To.Message, Commit: p.To.Commit,
		Set: append([]string{}, slices.Sorted(maps.Keys(p.Set))...), Unset: append([]string{}, p.Unset...), Instances: p.Instances,
	}
}
