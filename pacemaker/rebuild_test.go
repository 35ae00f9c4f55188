package pacemaker

import (
	"encoding/json"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// grafts keeps what a step adds to its tree.
type grafts struct {
	transcript
	specs []jobs.Spec
}

func (g *grafts) Graft(_ string, specs []jobs.Spec) error {
	g.specs = append(g.specs, specs...)
	return nil
}

// A node may ask for the starts of its own tree's operation alone, and gets those
// that are on the node that it names.
func TestStartWaiting_StartsWhatTheOperationWantsOnTheNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web"})
	one, two := r.newNode("n1", cluster.RoleHeart), r.newNode("n2", cluster.RoleHeart)
	op, err := r.Restart(t.Context(), app, "", "ann")
	testkit.Must(t, err)
	here, there := cluster.NewID(), cluster.NewID()
	for id, n := range map[cluster.ID]cluster.Node{here: one, there: two} {
		testkit.Must(t, r.store.Assign(t.Context(), []store.Assignment{{ID: id, App: app.ID, Release: release.ID, Type: "web", Node: n.ID, Operation: op.ID}}))
	}
	args, err := json.Marshal(cluster.NodeArgs{Node: one.ID})
	testkit.Must(t, err)
	got := &grafts{}

	_, err = r.Handlers()[cluster.JobStart](t.Context(), jobs.NewRun(jobs.Job{ID: "j", Tree: string(op.ID), Kind: cluster.JobStart, Args: args}, 1, got))

	testkit.Must(t, err)
	var started cluster.InstanceArgs
	if len(got.specs) == 1 {
		testkit.Must(t, json.Unmarshal(got.specs[0].Args, &started))
	}
	if started != (cluster.InstanceArgs{Operation: op.ID, Instance: here, Rebuilt: true}) || got.specs[0].ID == string(cluster.DeriveID(here, "start", 0)) {
		t.Errorf("got %+v, want another start of %s alone", got.specs, here)
	}
}

// All releases of a build follow its new image, once.
func TestBuildDone_ReplacesAnImageThatIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.App("shop")
	first := r.Deploy(app, cluster.ProcessType{Name: "web"})
	op, _, err := r.ChangeConfig(t.Context(), app, map[string]string{"A": "1"}, nil, "ann")
	testkit.Must(t, err)
	r.step(cluster.JobRelease, op)
	was := first.Image
	done := func(gone, id string) {
		t.Helper()
		testkit.Must(t, r.Sources.BuildDone(t.Context(), first.BuildID, cluster.BuildResult{
			State: cluster.BuildReady, Image: cluster.Image{Ref: "aorta/shop:new", ID: id}, Replaces: gone,
		}))
	}

	done(was.ID, "sha256:new")
	done(was.ID, "sha256:late")

	second, err := r.store.ReleaseByOperation(t.Context(), op.ID)
	testkit.Must(t, err)
	first, err = r.store.Release(t.Context(), first.ID)
	testkit.Must(t, err)
	for _, release := range []cluster.Release{first, second} {
		if release.Image.ID != "sha256:new" || len(release.Processes) != 1 {
			t.Errorf("%s: got %+v, want the new image and the process types as they were", release.Label(), release)
		}
	}
}
