package pacemaker

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// ChangeConfig sets and unsets config vars. With a release that serves, a new
// one with the new vars is rolled out; without, nothing is, and the operation
// has no id.
func (p *Pacemaker) ChangeConfig(ctx context.Context, app cluster.App, set map[string]string, unset []string, user string) (cluster.Operation, error) {
	if err := validateConfig(set, unset); err != nil {
		return cluster.Operation{}, err
	}
	current, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, err
	}
	if current.ID == "" {
		return cluster.Operation{}, p.store.ChangeConfig(ctx, app, set, unset, user)
	}
	args := cluster.Request{Build: current.BuildID, Commit: current.Commit, Message: configMessage(set, unset), Cause: "config"}
	return p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRelease, AppID: app.ID, Title: "Change config vars of " + app.Name, User: user, Args: args.Encode(),
	}, store.WithConfig(app, set, unset))
}

func validateConfig(set map[string]string, unset []string) error {
	if len(set)+len(unset) == 0 {
		return cluster.Invalid("set", "names no config var")
	}
	for key, value := range set {
		if err := cluster.ValidateConfigKey("set."+key, key); err != nil {
			return err
		}
		if err := cluster.ValidateConfigValue("set."+key, value); err != nil {
			return err
		}
	}
	for i, key := range unset {
		if err := cluster.ValidateConfigKey(fmt.Sprintf("unset[%d]", i), key); err != nil {
			return err
		}
	}
	return nil
}

// configMessage names keys, never values.
func configMessage(set map[string]string, unset []string) string {
	return fmt.Sprintf("%d config vars set, %d unset", len(set), len(unset))
}
