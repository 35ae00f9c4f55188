package images

import (
	"context"
	"fmt"
	"sync"

	"aorta/pacemaker/cluster"
)

// transfers are the builds that builders have. They can be lost: a builder whose
// push is refused takes its build again.
type transfers struct {
	mu    sync.Mutex        // guards taken
	taken map[cluster.ID]by // by build
}

// by is who has a build, and of which app it is.
type by struct{ node, app cluster.ID }

// Take gives a build to a builder, which may push its image until the build has
// ended, or another builder takes it. It says in the spec whether it is to.
func (i *Images) Take(ctx context.Context, node cluster.Node, spec *cluster.BuildSpec) error {
	nodes, err := i.cfg.Store.Nodes(ctx)
	if err != nil {
		return fmt.Errorf("find who may need the image: %w", err)
	}
	for _, n := range nodes {
		spec.Push = spec.Push || n.ID != node.ID && n.Has(cluster.RoleHeart)
	}
	if !spec.Push {
		return nil
	}
	i.transfers.mu.Lock()
	defer i.transfers.mu.Unlock()
	i.transfers.taken[spec.ID] = by{node.ID, spec.AppID}
	return nil
}

// Done takes a build back from its builder, once there is nothing more to push.
func (i *Images) Done(node cluster.Node, build cluster.ID, result cluster.BuildResult) {
	if result.State == cluster.BuildReady {
		i.mu.Lock()
		i.built[node.ID] = result.Image.ID
		i.mu.Unlock()
	}
	if result.State == cluster.BuildReady && result.Image.Pushed == "" {
		return
	}
	i.transfers.mu.Lock()
	defer i.transfers.mu.Unlock()
	if i.transfers.taken[build].node == node.ID {
		delete(i.transfers.taken, build)
	}
}

// has says that a node has a build of the app, or, if it is named, that build.
func (t *transfers) has(node, app, build cluster.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if build != "" {
		return t.taken[build] == by{node, app}
	}
	for _, who := range t.taken {
		if who == (by{node, app}) {
			return true
		}
	}
	return false
}

// Allow says whether a node may do what it asks the cluster's registry for: take
// images of apps of which it has instances or builds, and send that of a build that
// it has.
func (i *Images) Allow(ctx context.Context, node cluster.Node, ask cluster.RegistryRequest) error {
	builds := node.Has(cluster.RoleBuilder)
	switch {
	case ask.App == "":
		return nil
	case ask.Push && !builds:
		return cluster.Forbidden("node %q is no builder, and may send no image", node.Name)
	case ask.Push:
		return i.allowPush(node, ask)
	case builds && i.transfers.has(node.ID, ask.App, ""):
		return nil
	}
	runs, err := i.cfg.Store.Runs(ctx, node.ID, ask.App)
	if err != nil {
		return err
	}
	if !runs {
		return cluster.Forbidden("node %q has no instance of app %s, and may not have its images", node.Name, ask.App)
	}
	return nil
}

// allowPush lets a builder send what its build needs. A blob may be taken over from
// any app's repository: who names its digest has its content.
func (i *Images) allowPush(node cluster.Node, ask cluster.RegistryRequest) error {
	var build cluster.ID
	if id, err := cluster.ParseID(ask.Manifest); err == nil {
		build = id
	} else if ask.Manifest != "" && !cluster.IsDigest(ask.Manifest) {
		return cluster.Forbidden("%s is not the id of a build, and no image may be called so", cluster.Clip(ask.Manifest))
	}
	if !i.transfers.has(node.ID, ask.App, build) {
		return cluster.Forbidden("node %q has no such build of app %s under way", node.Name, ask.App)
	}
	return nil
}
