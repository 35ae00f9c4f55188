package pacemaker

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
)

func (p *Pacemaker) liveOf(ctx context.Context, app cluster.App, which func(cluster.Instance) bool) ([]cluster.ID, error) {
	list, err := p.store.Instances(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	var ids []cluster.ID
	for _, in := range list {
		if in.State.Wanted() && which(in) {
			ids = append(ids, in.ID)
		}
	}
	return ids, nil
}

// Restart replaces one instance, those of a process type, or all, by new ones without
// losing a request.
// A stopped app is started again with the formation it had. One that waits for its
// turn and replaces the same makes a second one superfluous.
func (p *Pacemaker) Restart(ctx context.Context, app cluster.App, instance, user string) (cluster.Operation, error) {
	release, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, err
	}
	if release.ID == "" {
		return cluster.Operation{}, cluster.Conflict("app %q has no release yet (deploy it first: git push aorta main)", app.Name)
	}
	what := instance
	ids, err := p.liveOf(ctx, app, func(in cluster.Instance) bool {
		if instance != "" && in.IsCalled(instance) {
			what = in.Name()
		}
		return instance == "" || in.IsCalled(instance) || in.Type == instance
	})
	if err != nil {
		return cluster.Operation{}, err
	}
	title := "Restart " + app.Name
	switch {
	case instance != "" && len(ids) == 0:
		return cluster.Operation{}, cluster.NotFound("app %q has no instance %q (list them with: aorta ps -a %s)", app.Name, instance, app.Name)
	case instance != "":
		title = fmt.Sprintf("Restart %s of %s", what, app.Name)
	case app.Stopped:
		title = "Start " + app.Name
	}
	args := cluster.Request{Replace: ids, Revive: app.Stopped && instance == ""}
	return p.beginOrJoin(ctx, cluster.Operation{Kind: cluster.OpRestart, AppID: app.ID, Title: title, User: user, Args: args.Encode()})
}

// StopApp stops all of an app; its formation is remembered. It gets in whatever waits,
// and joins a stop that is the last to wait.
func (p *Pacemaker) StopApp(ctx context.Context, app cluster.App, user string) (cluster.Operation, error) {
	return p.beginOrJoin(ctx, cluster.Operation{Kind: cluster.OpStop, AppID: app.ID, Title: "Stop " + app.Name, User: user, Args: cluster.Request{}.Encode()})
}
