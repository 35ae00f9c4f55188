// Package push joins git's endpoint with the gate and the pacemaker: whose token
// it is, which role fetching and pushing need, and what a push sets off. Git
// itself is web/git's.
package push

import (
	"context"
	"io"

	"aorta/internal/gitrepo"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/access"
	"aorta/web/auth"
	"aorta/web/git"
)

// Backend is what web/git asks. It implements git.Backend.
type Backend struct{ pace *pacemaker.Pacemaker }

// New makes the backend of one pacemaker's repositories.
func New(p *pacemaker.Pacemaker) *Backend { return &Backend{pace: p} }

// Authenticate is part of git.Backend.
func (b *Backend) Authenticate(ctx context.Context, _, password string) (access.User, error) {
	return auth.ByToken(ctx, b.pace.Store(), password)
}

// Repo is part of git.Backend: fetching needs a viewer of the app, pushing a
// developer.
func (b *Backend) Repo(ctx context.Context, who access.User, name string, write bool) (cluster.ID, gitrepo.Repo, error) {
	need, doing := access.Viewer, "fetching from"
	if write {
		need, doing = access.Developer, "pushing to"
	}
	app, err := b.pace.Store().App(ctx, name)
	if !access.Allowed(who, need, access.Subject{Kind: access.OnApp, App: app}) {
		return "", gitrepo.Repo{}, access.Refusal(doing+" app "+name, who, need)
	}
	if err != nil {
		return "", gitrepo.Repo{}, err
	}
	repo, err := b.pace.Sources.InitRepo(ctx, app)
	return app.ID, repo, err
}

// Push is part of git.Backend.
func (b *Backend) Push(ctx context.Context, p git.Push, out io.Writer) error {
	app, err := b.pace.Store().AppByID(ctx, p.App)
	if err != nil {
		return err
	}
	return b.pace.Push(ctx, pacemaker.Push{App: app, Ref: p.Ref, Old: p.Old, New: p.New, Forced: p.Forced, User: p.Who}, out)
}
