package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"os"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// OwnHost is the host that an app has by its name.
func (p *Pacemaker) OwnHost(name string) string { return name + "." + p.cfg.Domain }

// AppURL is where an app's own host is reached through a router.
func (p *Pacemaker) AppURL(app cluster.App) string {
	return fmt.Sprintf(p.cfg.RouterURL, p.OwnHost(app.Name))
}

func (p *Pacemaker) allowedName(name string) error {
	if err := cluster.ValidateName("name", name); err != nil {
		return err
	}
	if host := p.OwnHost(name); host == p.cfg.OwnHost {
		return cluster.Invalid("name", "%s would be served at %s, where the dashboard is reached; choose another name", name, host)
	}
	return nil
}

// CreateApp makes an app.
func (p *Pacemaker) CreateApp(ctx context.Context, name, user string) (cluster.App, error) {
	if err := p.allowedName(name); err != nil {
		return cluster.App{}, err
	}
	return p.store.CreateApp(ctx, name, p.OwnHost(name), user)
}

// RenameApp gives an app another name, and with it another host of its own.
func (p *Pacemaker) RenameApp(ctx context.Context, app cluster.App, name string, version int, user string) (cluster.App, error) {
	if err := p.allowedName(name); err != nil {
		return cluster.App{}, err
	}
	if err := p.store.RenameApp(ctx, app.ID, name, p.OwnHost(name), version, user); err != nil {
		return cluster.App{}, err
	}
	p.publish.Wake()
	return p.store.AppByID(ctx, app.ID)
}

// DestroyApp begins the end of an app; confirm must be its name. What is under way
// with the app is aborted once that is written down (makeWay): a build that never ends
// would hold its end up.
func (p *Pacemaker) DestroyApp(ctx context.Context, app cluster.App, confirm, user string) (cluster.Operation, error) {
	if confirm != app.Name {
		return cluster.Operation{}, cluster.Invalid("confirm", "must be the app's name, %q: its releases, config, domains and logs go for good", app.Name)
	}
	return p.begin(ctx, cluster.Operation{Kind: cluster.OpDestroy, AppID: app.ID, Title: "Destroy " + app.Name, User: user, Args: cluster.Request{}.Encode()}, store.WithDestroying())
}

// makeWay aborts what the destruction of an app would wait for. What can't be aborted
// any more ends by itself.
func (p *Pacemaker) makeWay(ctx context.Context, open []cluster.Operation) error {
	destroys := map[cluster.ID]cluster.Operation{}
	for _, op := range open {
		if op.Kind == cluster.OpDestroy {
			destroys[op.AppID] = op
		}
	}
	var errs []error
	for _, op := range open {
		switch op.Kind {
		case cluster.OpDestroy, cluster.OpStop, cluster.OpRetire, cluster.OpPrune:
			continue // each takes away, as destroying does
		}
		destroy, goes := destroys[op.AppID]
		if !goes || op.AbortReason != "" {
			continue
		}
		if err := p.Abort(ctx, op, destroy.User); err != nil && cluster.CodeOf(err) != cluster.CodeConflict {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// finishDestroy removes the app and all that others keep of it. Its instances
// are out of the routes and drain on their own.
func (p *Pacemaker) finishDestroy(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.OperationArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	op, err := p.store.Operation(ctx, args.Operation)
	if err != nil {
		return nil, err
	}
	if err := op.StillOpen(); err != nil {
		return nil, jobs.Permanent(err)
	}
	if err := p.Sources.DropArchives(ctx, op.AppID); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(p.Sources.Repo(op.AppID).Dir); err != nil {
		return nil, fmt.Errorf("remove the app's repository: %w", err)
	}
	if err := p.forgetData(ctx, op.AppID); err != nil {
		return nil, err
	}
	if err := p.store.DeleteApp(ctx, op.AppID); err != nil {
		return nil, err
	}
	return nil, p.forgetData(ctx, op.AppID) // of who has asked for it in between
}

func (p *Pacemaker) forgetData(ctx context.Context, app cluster.ID) error {
	for _, data := range p.forget {
		if err := data.Forget(ctx, app); err != nil {
			return err
		}
	}
	return nil
}
