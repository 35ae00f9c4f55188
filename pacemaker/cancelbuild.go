package pacemaker

import (
	"context"
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// CancelBuild aborts the app's operation whose build has not ended: that of the
// build that is named, by its id, its operation's or either in short, or the only
// one. What an instance that starts has built again belongs to its start's.
func (p *Pacemaker) CancelBuild(ctx context.Context, app cluster.App, name, user string) (cluster.Operation, error) {
	building, err := p.building(ctx, app.ID)
	if err != nil {
		return cluster.Operation{}, err
	}
	var found []cluster.Operation
	var all []string
	for _, b := range building {
		all = append(all, fmt.Sprintf("%s (%s, of job %s)", b.build.Short(), b.op.Title, b.op.ID.Short()))
		if name == "" || b.is(name) {
			found = append(found, b.op)
		}
	}
	if name != "" && len(found) == 0 {
		if err := p.overAlready(ctx, app, name); err != nil {
			return cluster.Operation{}, err
		}
	}
	switch {
	case len(building) == 0:
		return cluster.Operation{}, cluster.Conflict("app %q has no build that runs or waits (its jobs: aorta jobs -a %s)", app.Name, app.Name)
	case len(found) == 0:
		return cluster.Operation{}, cluster.NotFound("build %q of app %q does not run or wait; these do: %s", cluster.Clip(name), app.Name, strings.Join(all, ", "))
	case len(found) > 1:
		return cluster.Operation{}, cluster.Conflict("app %q has several builds; name one: %s", app.Name, strings.Join(all, ", "))
	}
	return found[0], p.Abort(ctx, found[0], user)
}

// overAlready is the error of a build that is over, by what became of it; nil if
// there is none of that name.
func (p *Pacemaker) overAlready(ctx context.Context, app cluster.App, name string) error {
	op, err := p.store.FindOperation(ctx, name)
	switch {
	case err == nil && op.AppID == app.ID && op.State != cluster.OperationOpen:
		return cluster.Conflict("job %s (%s) has %s already", op.ID.Short(), op.Title, ended[op.State])
	case err == nil && op.AppID == app.ID:
		return cluster.Conflict("job %s (%s) has no build that runs or waits; to end the job: aorta jobs abort %[1]s", op.ID.Short(), op.Title)
	case err != nil && cluster.CodeOf(err) != cluster.CodeNotFound:
		return err
	}
	id, err := cluster.ParseID(name)
	if err != nil {
		return nil
	}
	b, err := p.store.Build(ctx, id)
	switch {
	case cluster.CodeOf(err) == cluster.CodeNotFound || err == nil && b.AppID != app.ID:
		return nil
	case err != nil:
		return err
	}
	return cluster.Conflict("build %s is over already: %s", id.Short(), b.State)
}

// ended says how an operation ended.
var ended = map[cluster.OperationState]string{
	cluster.OperationSucceeded: "succeeded", cluster.OperationFailed: "failed", cluster.OperationAborted: "been cancelled",
}

// building is an open operation that has not got past its build.
type building struct {
	op    cluster.Operation
	build cluster.ID
}

func (b building) is(name string) bool {
	for _, id := range []cluster.ID{b.build, b.op.ID} {
		if name == string(id) || name == id.Short() {
			return true
		}
	}
	return false
}

func (p *Pacemaker) building(ctx context.Context, app cluster.ID) ([]building, error) {
	open, err := p.store.OpenOperationsOf(ctx, app)
	if err != nil {
		return nil, err
	}
	var list []building
	for _, op := range open {
		args, err := op.Request()
		if err != nil {
			return nil, err
		}
		builds := op.Kind == cluster.OpRebuild
		if op.Kind == cluster.OpDeploy {
			b, err := p.store.Build(ctx, args.Build)
			if err != nil {
				return nil, err
			}
			builds = b.EndedAt == nil
		}
		if builds {
			list = append(list, building{op, args.Build})
		}
	}
	return list, nil
}
