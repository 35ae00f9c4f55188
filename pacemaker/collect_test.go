package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// prunes are the removals that are open.
func (r *rig) prunes() []cluster.Operation {
	r.TB.Helper()
	open, err := r.store.OpenOperations(r.TB.Context())
	testkit.Must(r.TB, err)
	var list []cluster.Operation
	for _, op := range open {
		if op.Kind == cluster.OpPrune {
			list = append(list, op)
		}
	}
	return list
}

// A removal begins by itself when a node reports what nothing needs, and not over
// and over for what can't be removed.
func TestCollectImages_BeginsARemovalOncePerImage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.newNode("n1", cluster.RoleHeart)
	r.report(n)
	app := r.App("shop")
	r.Deploy(app)
	report := func(ids ...string) {
		t.Helper()
		list := []cluster.EngineImage{{ID: "sha256:1", App: app.ID, Build: cluster.NewID(), Origin: cluster.ImageBuilt}}
		for _, id := range ids {
			list = append(list, cluster.EngineImage{ID: id, App: "gone", Origin: cluster.ImageBuilt})
		}
		_, err := r.Images.Reported(t.Context(), n.ID, list)
		testkit.Must(t, err)
		testkit.Must(t, r.reconcile(t.Context()))
	}

	report()
	none := r.prunes()
	report("a")
	first := r.prunes()
	report("a")
	if len(none) != 0 || len(first) != 1 || first[0].NodeID != n.ID || len(r.prunes()) != 1 {
		t.Fatalf("got removals %+v, then %+v, then %+v; want none, one, the same", none, first, r.prunes())
	}
	r.finish(first[0], jobs.Failed)
	report("a")
	if got := r.prunes(); len(got) != 0 {
		t.Errorf("got %+v begun for what was not removed before", got)
	}
	report("a", "b")
	if got := r.prunes(); len(got) != 1 || got[0].Title != "Remove 2 old images from n1" {
		t.Errorf("got %+v, want a removal for what is new", got)
	}
}

// Whoever asks for it has all nodes with such images done, in one tree.
func TestPruneImages_OnDemand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.newNode("n1", cluster.RoleHeart), r.newNode("n2", cluster.RoleBuilder)
	nothing, err := r.PruneImages(t.Context(), cluster.App{}, "ann")
	testkit.Must(t, err)
	for _, n := range []cluster.Node{one, two} {
		_, err := r.Images.Reported(t.Context(), n.ID, []cluster.EngineImage{{ID: "sha256:a", App: "gone", Origin: cluster.ImageBuilt}})
		testkit.Must(t, err)
	}

	op, err := r.PruneImages(t.Context(), cluster.App{}, "ann")
	testkit.Must(t, err)
	tree, err := r.treeOf(op, jobs.Subject{}, nil)
	testkit.Must(t, err)

	if len(r.shelf.Swept) != 0 {
		t.Errorf("got the registry swept for images of engines")
	}
	if nothing.ID != "" || len(tree.Children) != 2 || tree.Children[0].Queue == tree.Children[1].Queue || tree.Children[0].ID == tree.Children[1].ID {
		t.Errorf("got %+v without images, then %+v; want nothing, then a job for each of two nodes", nothing, tree.Children)
	}
	failed := r.finish(op, jobs.Failed)
	if _, err := r.Retry(t.Context(), failed, "ann"); err != nil {
		t.Errorf("a retry: %v", err)
	}
}

// Images in the registry go with those of the engines, of the app that is named or of
// all.
func TestPruneImages_OfTheRegistry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	kept := r.Deploy(shop)
	failed, err := r.DeployImage(t.Context(), shop, "img:2", "", "ann")
	testkit.Must(t, err)
	args, err := failed.Request()
	testkit.Must(t, err)
	testkit.Must(t, r.store.EndBuild(t.Context(), args.Build, cluster.BuildResult{State: cluster.BuildReady, Image: cluster.Image{ID: "sha256:2"}}))
	r.finish(failed, jobs.Failed)
	old, stranger := args.Build, cluster.NewID()
	r.shelf.List = []cluster.RegistryImage{{App: shop.ID, Build: kept.BuildID}, {App: shop.ID, Build: old}, {App: cluster.NewID(), Build: stranger}}
	prune := func(app cluster.App) []cluster.RegistryImage {
		t.Helper()
		op, err := r.PruneImages(t.Context(), app, "ann")
		testkit.Must(t, err)
		tree, err := r.treeOf(op, jobs.Subject{}, nil)
		testkit.Must(t, err)
		if len(tree.Children) != 1 || tree.Children[0].Kind != cluster.JobRegistryPrune {
			t.Fatalf("got %+v, want a job for the registry", tree.Children)
		}
		_, err = r.Handlers()[cluster.JobRegistryPrune](t.Context(), jobs.NewRun(jobs.Job{ID: "j", Tree: string(op.ID), Args: tree.Children[0].Args}, 1, &grafts{}))
		testkit.Must(t, err)
		r.finish(op, jobs.Succeeded)
		return r.shelf.Swept[len(r.shelf.Swept)-1]
	}

	if got := prune(shop); len(got) != 1 || got[0].Build != old {
		t.Errorf("of the shop: got %+v, want %s alone", got, old)
	}
	if got := prune(cluster.App{}); len(got) != 2 || got[0].Build != old || got[1].Build != stranger {
		t.Errorf("of all: got %+v, want both that no release has", got)
	}
	nightly := &grafts{}
	if _, err := r.Handlers()[cluster.JobPrune](t.Context(), jobs.NewRun(jobs.Job{ID: "j", Tree: "j"}, 1, nightly)); err != nil || len(r.shelf.Swept) != 3 {
		t.Errorf("got %v and %d sweeps, want the nightly one to sweep too", err, len(r.shelf.Swept))
	}
}
