package pacemaker

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// Outcome says what of an app serves after an operation that did not succeed; ""
// for one that is about no app, or whose app is gone.
func (p *Pacemaker) Outcome(ctx context.Context, op cluster.Operation) (string, error) {
	app, err := p.store.AppByID(ctx, op.AppID)
	if op.AppID == "" || cluster.CodeOf(err) == cluster.CodeNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	serving, err := p.currentRelease(ctx, app)
	if err != nil {
		return "", err
	}
	asked, err := p.store.Formations(ctx, app.ID)
	switch {
	case err != nil:
		return "", err
	case serving.ID == "":
		return "Nothing of " + app.Name + " serves yet.", nil
	case app.Stopped:
		return app.Name + " stays stopped.", nil
	case plan.Want(serving, asked)[cluster.WebType] == 0:
		return serving.Label() + " goes on running.", nil
	}
	return serving.Label() + " goes on serving.", nil
}
