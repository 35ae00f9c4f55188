package pacemaker

import (
	"context"
	"fmt"

	"aorta/pacemaker/cluster"
)

// ChangeBuildSecrets sets and unsets what an app's builds may mount as secrets,
// and gives the names that there are then. They count from the next build on.
func (p *Pacemaker) ChangeBuildSecrets(ctx context.Context, app cluster.App, set map[string]string, unset []string, user string) ([]string, error) {
	if len(set)+len(unset) == 0 {
		return nil, cluster.Invalid("set", "names no build secret")
	}
	if most := max(len(set), len(unset)); most > cluster.MaxSecrets {
		return nil, cluster.Invalid("set", "%d build secrets are too many; an app may have %d", most, cluster.MaxSecrets)
	}
	for name, value := range set {
		if err := cluster.ValidateSecretName("set."+cluster.Clip(name), name); err != nil {
			return nil, err
		}
		if err := cluster.ValidateConfigValue("set."+name, value); err != nil {
			return nil, err
		}
		if value == "" {
			return nil, cluster.Invalid("set."+name, "is empty; unset it instead (aorta builds unset-secret %s)", name)
		}
	}
	for i, name := range unset {
		if err := cluster.ValidateSecretName(fmt.Sprintf("unset[%d]", i), name); err != nil {
			return nil, err
		}
	}
	if err := notInBoth(set, unset); err != nil {
		return nil, err
	}
	return p.store.ChangeBuildSecrets(ctx, app, set, unset, user)
}
