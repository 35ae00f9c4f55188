package overview

import (
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestInstances_ShowWhatIsUsedOfTheLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n1 := r.joined("n1", cluster.RoleHeart)
	app := r.App("shop")
	release := r.Deploy(app, cluster.ProcessType{Name: "web", Limits: cluster.Limits{Memory: 64 << 20}})
	busy, quiet := r.Instance(release, "web", n1), r.Instance(release, "web", n1)
	list := []cluster.InstanceStatus{
		{ID: busy, State: cluster.InstanceRunning, Memory: 7 << 20, CPU: new(0.25)},
		{ID: quiet, State: cluster.InstanceRunning},
	}
	_, err := r.nodes.Report(t.Context(), n1, cluster.Report{
		Session: "session-n1", Counter: 1, Full: true, Roles: n1.Roles, Digest: cluster.InstanceDigest(list), Instances: list,
	})
	testkit.Must(t, err)
	find := func(id cluster.ID) Instance {
		t.Helper()
		all, err := r.overview.Instances(t.Context(), app)
		testkit.Must(t, err)
		for _, in := range all {
			if in.ID == id {
				return in
			}
		}
		t.Fatalf("got no instance %s", id)
		return Instance{}
	}

	one, other := find(busy), find(quiet)
	r.Clock.Forward(time.Minute)
	silent := find(busy)

	if one.Memory == nil || *one.Memory != 7<<20 || one.CPU == nil || *one.CPU != 0.25 {
		t.Errorf("got %v and %v in use, want what was reported", one.Memory, one.CPU)
	}
	if want := (cluster.Limits{Memory: 64 << 20, CPUs: cluster.DefaultCPUs}); one.Limits != want {
		t.Errorf("got the limits %+v, want %+v", one.Limits, want)
	}
	if other.Memory != nil || other.CPU != nil {
		t.Errorf("got %v and %v of one that was not measured, want neither", other.Memory, other.CPU)
	}
	if !silent.Unheard || silent.Memory != nil || silent.CPU != nil {
		t.Errorf("got %v and %v from a silent node, want neither", silent.Memory, silent.CPU)
	}
}
