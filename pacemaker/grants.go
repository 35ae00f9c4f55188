package pacemaker

import (
	"context"

	"aorta/pacemaker/cluster"
)

// ChangeGrants changes which capabilities an app was granted, and returns all
// that it has then. Instances that are started later have them.
func (p *Pacemaker) ChangeGrants(ctx context.Context, app cluster.App, grant, revoke []string, user string) ([]string, error) {
	if len(grant)+len(revoke) == 0 {
		return nil, cluster.Invalid("grant", "names no capability")
	}
	grant, err := cluster.ParseGrants("grant", grant)
	if err != nil {
		return nil, err
	}
	if revoke, err = cluster.ParseGrants("revoke", revoke); err != nil {
		return nil, err
	}
	return p.store.ChangeGrants(ctx, app.ID, grant, revoke, user)
}
