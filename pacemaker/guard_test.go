package pacemaker

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// court is what forged jobs are tried on: two apps, and operations of all kinds on one.
type court struct {
	*rig
	shop, blog       cluster.App
	release, foreign cluster.Release
	here, there      cluster.ID // an instance of each
	node             cluster.Node
	ops              map[cluster.OperationKind]cluster.Operation
}

func newCourt(t *testing.T) *court {
	t.Helper()
	c := &court{rig: newRig(t), ops: map[cluster.OperationKind]cluster.Operation{}}
	c.shop, c.blog, c.node = c.App("shop"), c.App("blog"), c.newNode("n1", cluster.RoleHeart)
	c.release, c.foreign = c.Deploy(c.shop, cluster.ProcessType{Name: "web"}), c.Deploy(c.blog, cluster.ProcessType{Name: "web"})
	c.here, c.there = c.Instance(c.release, "web", c.node), c.Instance(c.foreign, "web", c.node)
	for _, kind := range []cluster.OperationKind{
		cluster.OpDeploy, cluster.OpRelease, cluster.OpScale, cluster.OpRestart, cluster.OpStop,
		cluster.OpRetire, cluster.OpReplace, cluster.OpDestroy, cluster.OpRebuild, cluster.OpPrune, cluster.OpDrain,
	} {
		c.ops[kind] = c.Begin(c.shop, kind, cluster.Request{Build: c.release.BuildID, Registry: kind == cluster.OpPrune})
	}
	return c
}

// args are right ones of a kind of job.
func (c *court) args(kind string, op cluster.ID) any {
	switch kind {
	case cluster.JobStart:
		return cluster.NodeArgs{Node: c.node.ID}
	case cluster.JobProvide:
		return cluster.ProvideArgs{Build: c.release.BuildID, Node: c.node.ID}
	case cluster.JobDrain, cluster.JobPlaceAnew:
		return cluster.InstanceArgs{Operation: op, Instance: c.here}
	case cluster.JobRegistryPrune:
		return cluster.PruneArgs{App: c.shop.ID}
	}
	return cluster.OperationArgs{Operation: op}
}

// of are the jobs that an operation's tree has, and what hearts add to those.
func (c *court) of(op cluster.Operation) map[string]jobs.Spec {
	c.TB.Helper()
	list, err := c.store.Instances(c.TB.Context(), c.shop.ID)
	testkit.Must(c.TB, err)
	tree, err := c.treeOf(op, jobs.Subject{}, list)
	testkit.Must(c.TB, err)
	found := map[string]jobs.Spec{}
	var walk func(s jobs.Spec)
	walk = func(s jobs.Spec) {
		found[s.Kind] = s
		for _, child := range s.Children {
			walk(child)
		}
	}
	walk(tree)
	if _, ok := found[cluster.JobPlace]; ok {
		for _, kind := range []string{cluster.JobStart, cluster.JobProvide, cluster.JobSwap, cluster.JobPlaceAnew} {
			found[kind] = jobs.Spec{ID: "asked", Kind: kind, Args: encoded(c.args(kind, op.ID))}
		}
	}
	return found
}

// run runs a job of the pacemaker in a tree.
func (c *court) run(kind, id string, tree cluster.ID, args any) error {
	_, err := c.Handlers()[kind](c.TB.Context(), jobs.NewRun(jobs.Job{ID: id, Tree: string(tree), Kind: kind, Args: encoded(args)}, 1, &grafts{}))
	return err
}

// What lies in the jobs' Redis may be forged: a job does nothing in a tree that does
// not have its kind, or whose operation has ended or is none.
func TestHandlers_RunNowhereElse(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	ended := map[cluster.OperationKind]cluster.Operation{}
	for kind := range c.ops {
		ended[kind] = c.Begin(c.shop, kind, cluster.Request{})
		c.End(ended[kind].ID)
	}
	refused := func(what, kind, id string, tree cluster.ID) {
		t.Helper()
		if err := c.run(kind, id, tree, c.args(kind, tree)); !jobs.IsPermanent(err) {
			t.Errorf("%s %s: got %v, want a refusal for good", kind, what, err)
		}
	}
	for kind := range c.Handlers() {
		stranger := cluster.NewID()
		refused("of no operation, below a root", kind, "j", stranger)
		for of, op := range c.ops {
			spec, has := c.of(op)[kind]
			if !has {
				refused("below a "+string(of), kind, "j", op.ID)
			}
			if has && spec.ID == string(op.ID) {
				refused("below the root of a "+string(of), kind, "j", op.ID)
			}
			refused("of an ended "+string(of), kind, "j", ended[of].ID)
			if len(anchors[kind].of) > 0 {
				refused("as the root of an ended "+string(of), kind, string(ended[of].ID), ended[of].ID)
			}
		}
	}
	for _, app := range []cluster.App{c.shop, c.blog} {
		if _, err := c.store.AppByID(t.Context(), app.ID); err != nil {
			t.Errorf("%s: %v", app.Name, err)
		}
	}
}

// Nor does it what is another operation's or another app's.
func TestHandlers_TouchNothingElse(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	retire, destroy, prune := c.ops[cluster.OpRetire].ID, c.ops[cluster.OpDestroy].ID, c.ops[cluster.OpPrune].ID
	foreign := c.Begin(c.blog, cluster.OpDestroy, cluster.Request{}).ID
	for name, err := range map[string]error{
		"another app's end":             c.run(cluster.JobDestroy, string(destroy), destroy, cluster.OperationArgs{Operation: foreign}),
		"no operation":                  c.run(cluster.JobDestroy, string(destroy), destroy, cluster.OperationArgs{}),
		"another app's routes":          c.run(cluster.JobPublish, "j", destroy, cluster.OperationArgs{Operation: foreign}),
		"another app's instance":        c.run(cluster.JobDrain, "j", retire, cluster.InstanceArgs{Operation: retire, Instance: c.there}),
		"another app's image":           c.run(cluster.JobProvide, "j", c.ops[cluster.OpRestart].ID, cluster.ProvideArgs{Build: c.foreign.BuildID, Node: c.node.ID}),
		"another app's registry images": c.run(cluster.JobRegistryPrune, "j", prune, cluster.PruneArgs{App: c.blog.ID}),
	} {
		if !jobs.IsPermanent(err) {
			t.Errorf("%s: got %v, want a refusal for good", name, err)
		}
	}
}

// All that the pacemaker plants itself runs.
func TestHandlers_RunWhereTheyBelong(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	tried := map[string]bool{}
	check := func(s jobs.Spec, tree cluster.ID) {
		t.Helper()
		if c.Handlers()[s.Kind] == nil {
			return // a node's
		}
		tried[s.Kind] = true
		run := jobs.NewRun(jobs.Job{ID: s.ID, Tree: string(tree), Kind: s.Kind, Args: s.Args}, 1, &grafts{})
		if err := c.belongs(t.Context(), anchors[s.Kind], s.Kind, run); err != nil {
			t.Errorf("%s: got %v, want that it runs", s.Kind, err)
		}
	}
	for _, op := range c.ops {
		for _, s := range c.of(op) {
			check(s, op.ID)
		}
	}
	for _, p := range c.Periodic() {
		s := p.Make(c.Clock.Now())
		check(s, cluster.ID(s.ID))
	}
	for kind := range c.Handlers() {
		if !tried[kind] {
			t.Errorf("%s was not tried", kind)
		}
	}
}
