package pacemaker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// ChangeConfig sets and unsets config vars. With a release that serves, a new
// one with the new vars is rolled out. Without, or when that release has the vars
// like that already, nothing is, and the operation has no id; changed tells the
// two apart.
func (p *Pacemaker) ChangeConfig(ctx context.Context, app cluster.App, set map[string]string, unset []string, user string) (op cluster.Operation, changed bool, err error) {
	if err := validateConfig(set, unset); err != nil {
		return cluster.Operation{}, false, err
	}
	current, err := p.currentRelease(ctx, app)
	if err != nil {
		return cluster.Operation{}, false, err
	}
	if current.ID == "" {
		return cluster.Operation{}, true, p.store.ChangeConfig(ctx, app, set, unset, user)
	}
	same, err := p.hasConfig(ctx, current, set, unset)
	if err != nil || same {
		return cluster.Operation{}, false, err
	}
	args := cluster.Request{Serving: true, Build: current.BuildID, Commit: current.Commit, Message: configMessage(set, unset), Cause: "config"}
	op, err = p.begin(ctx, cluster.Operation{
		Kind: cluster.OpRelease, AppID: app.ID, Title: configMessage(set, unset) + " of " + app.Name, User: user, Args: args.Encode(),
	}, store.WithConfig(app, set, unset))
	return op, true, err
}

// hasConfig says whether a change leaves both the app's config vars and those of
// the release that serves as they are.
func (p *Pacemaker) hasConfig(ctx context.Context, serving cluster.Release, set map[string]string, unset []string) (bool, error) {
	kept, err := p.store.Config(ctx, serving.AppID)
	if err != nil {
		return false, err
	}
	served, err := p.store.ReleaseConfig(ctx, serving.ID)
	return hasVars(kept, set, unset) && hasVars(served, set, unset), err
}

func hasVars(vars, set map[string]string, unset []string) bool {
	for key, value := range set {
		if has, there := vars[key]; !there || has != value {
			return false
		}
	}
	return !slices.ContainsFunc(unset, func(key string) bool { _, there := vars[key]; return there })
}

func validateConfig(set map[string]string, unset []string) error {
	if len(set)+len(unset) == 0 {
		return cluster.Invalid("set", "names no config var")
	}
	if err := cluster.ValidateConfigCount("set", len(set)); err != nil {
		return err
	}
	if err := cluster.ValidateConfigCount("unset", len(unset)); err != nil {
		return err
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
	return notInBoth(set, unset)
}

// notInBoth refuses a change that sets and unsets the same.
func notInBoth(set map[string]string, unset []string) error {
	for i, key := range unset {
		if _, both := set[key]; both {
			return cluster.Invalid(fmt.Sprintf("unset[%d]", i), "%s is in set too: it can be set or unset, not both", key)
		}
	}
	return nil
}

// configMessage names keys, never values.
func configMessage(set map[string]string, unset []string) string {
	var parts []string
	if len(set) > 0 {
		parts = append(parts, "Set "+namedKeys(slices.Sorted(maps.Keys(set))))
	}
	if len(unset) > 0 {
		parts = append(parts, "Unset "+namedKeys(unset))
	}
	return strings.Join(parts, "; ")
}

// A title names so many config vars, of so many characters together; more are counted.
const (
	keysNamed      = 3
	keysNamedWidth = 60
)

func namedKeys(keys []string) string {
	if all := strings.Join(keys, ", "); len(keys) <= keysNamed && len(all) <= keysNamedWidth {
		return all
	}
	return counted(len(keys), "config var")
}
