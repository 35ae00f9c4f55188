package nodes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/internal/rig"
	"aorta/pacemaker/store"
)

// report makes a node's report of all that it has.
func report(n cluster.Node, counter uint64, full bool, list ...cluster.InstanceStatus) cluster.Report {
	return cluster.Report{
		Session: "session-" + n.Name, Counter: counter, Epoch: rig.Epoch, Roles: n.Roles, Address: "10.77.0.3",
		Digest: cluster.InstanceDigest(list), Full: full, Instances: list,
	}
}

func running(id cluster.ID) cluster.InstanceStatus {
	return cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning}
}

func TestHello_OneProcessPerNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n1", cluster.RoleHeart)

	again := r.nodes.Hello(t.Context(), n, helloOf(n, "host-n1", "session-n1"))
	elsewhere := r.nodes.Hello(t.Context(), n, helloOf(n, "other-host", "session-2"))
	successor := r.nodes.Hello(t.Context(), n, helloOf(n, "host-n1", "session-3"))
	_, first := r.nodes.Report(t.Context(), n, report(n, 9, true))
	r.Clock.Forward(15 * time.Second)
	moved := r.nodes.Hello(t.Context(), n, helloOf(n, "other-host", "session-2"))

	if again != nil || successor != nil || moved != nil {
		t.Errorf("got %v, %v, %v; want the same process, its successor there, and another host after the silence let in", again, successor, moved)
	}
	for _, want := range []string{"host-n1", "process 42", "since 2026-01-02T03:04:05Z"} {
		if cluster.CodeOf(elsewhere) != cluster.CodeConflict || !strings.Contains(elsewhere.Error(), want) {
			t.Errorf("got %v, want a conflict that names %s", elsewhere, want)
		}
	}
	if cluster.CodeOf(first) != cluster.CodeForbidden {
		t.Errorf("got %v for the process that was followed, want it forbidden", first)
	}
}

func TestHello_KeepsTheAddressOfOneThatDoesNotKnowItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.joined("n1", cluster.RoleHeart)
	id := r.Instance(release, "web", n)
	early := helloOf(n, "host-n1", "session-2")
	early.Address = ""

	testkit.Must(t, r.nodes.Hello(t.Context(), n, early))

	st, err := r.Store.Routes(t.Context())
	testkit.Must(t, err)
	if len(st.Serving) != 1 || st.Serving[0].ID != id || st.Nodes[n.ID].Address != n.Address {
		t.Errorf("got %+v on %+v, want the instance served on while its heart comes up", st.Serving, st.Nodes)
	}
}

func TestReport_NeedsASession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n1", cluster.RoleHeart)

	_, err := r.nodes.Report(t.Context(), n, report(n, 1, true))

	if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), "hello") {
		t.Errorf("got %v, want a conflict that asks for hello", err)
	}
}

func TestReport_OldCountersAreDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.joined("n1", cluster.RoleHeart)
	id := r.Instance(release, "web", n)
	_, err := r.nodes.Report(t.Context(), n, report(n, 5, true, running(id)))
	testkit.Must(t, err)

	for _, counter := range []uint64{4, 5} {
		a, err := r.nodes.Report(t.Context(), n, report(n, counter, true, cluster.InstanceStatus{ID: id, State: cluster.InstanceFailed, Gone: true}))
		testkit.Must(t, err)
		if a.DeadAfter != 15*time.Second {
			t.Errorf("got %s as the silence of a dead node in the answer to a late report, want it as in any", a.DeadAfter)
		}
	}

	in, err := r.Store.Instance(t.Context(), id)
	testkit.Must(t, err)
	if in.State != cluster.InstanceRunning || in.GoneAt != nil {
		t.Errorf("got %s, want the late words dropped", in.State)
	}
}

func TestReport_AsksForAllWhenSumsDiffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.joined("n1", cluster.RoleHeart)
	one, two := r.Instance(release, "web", n), r.Instance(release, "web", n)
	part := report(n, 1, false, running(one))

	before, err := r.nodes.Report(t.Context(), n, part)
	testkit.Must(t, err)
	whole, err := r.nodes.Report(t.Context(), n, report(n, 2, true, running(one), running(two)))
	testkit.Must(t, err)
	quiet := report(n, 3, false)
	quiet.Digest = cluster.InstanceDigest([]cluster.InstanceStatus{running(one), running(two)})
	same, err := r.nodes.Report(t.Context(), n, quiet)
	testkit.Must(t, err)
	other := report(n, 4, false, cluster.InstanceStatus{ID: one, State: cluster.InstanceRunning, Restarts: 1})
	other.Digest = "another sum"
	differs, err := r.nodes.Report(t.Context(), n, other)
	testkit.Must(t, err)

	if !before.SendFull || whole.SendFull || same.SendFull || !differs.SendFull {
		t.Errorf("got asked %t before any full set, %t after it, %t with the same sum, %t with another; want true, false, false, true",
			before.SendFull, whole.SendFull, same.SendFull, differs.SendFull)
	}
}

func TestReport_NamesWhatToStartStopAndForget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.joined("n1", cluster.RoleHeart)
	there, draining, missing, ended := r.Instance(release, "web", n), r.Instance(release, "web", n), r.Instance(release, "web", n), r.Instance(release, "web", n)
	gone, back, stranger := r.Instance(release, "web", n), r.Instance(release, "web", n), cluster.NewID()
	r.Lose(n, gone)
	r.Lose(n, back)
	r.Lose(n, ended)
	r.routed[draining] = true
	testkit.Must(t, r.Store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{draining}}))
	list := []cluster.InstanceStatus{
		running(there), running(draining), running(back), running(stranger), {ID: gone, State: cluster.InstanceFailed, Gone: true},
	}
	all := func(counter uint64) cluster.ReportAnswer {
		t.Helper()
		rep := report(n, counter, true, list...)
		rep.Revision = -1 // applied none of the assignments yet
		a, err := r.nodes.Report(t.Context(), n, rep)
		testkit.Must(t, err)
		return a
	}

	published := all(1)
	r.routed[draining] = false
	unrouted := all(2)
	r.Clock.Forward(61 * time.Second)
	late := all(3)

	if !slices.Equal(published.Start, []cluster.ID{missing}) || !slices.Equal(published.Forget, []cluster.ID{gone}) {
		t.Errorf("got start %v, forget %v; want %v, %v", published.Start, published.Forget, missing, gone)
	}
	for step, c := range map[string]struct {
		got  []cluster.ID
		want []cluster.ID
	}{"in the routes": {published.Stop, []cluster.ID{back}}, "in its drain": {unrouted.Stop, []cluster.ID{back}}, "after twice its drain": {late.Stop, []cluster.ID{back, draining}}} {
		slices.Sort(c.got)
		slices.Sort(c.want)
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got stop %v, want %v", step, c.got, c.want)
		}
	}
	if h, _ := r.nodes.Heard(n); !slices.Equal(h.Unknown, []cluster.ID{stranger}) {
		t.Errorf("got unknown %v, want %v left alone and listed", h.Unknown, stranger)
	}
}

func TestReport_ForgetsAStrangerThatWasRemoved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n1", cluster.RoleHeart)
	_, err := r.nodes.Report(t.Context(), n, report(n, 1, true, running(cluster.NewID())))
	testkit.Must(t, err)
	before, _ := r.nodes.Heard(n)

	_, err = r.nodes.Report(t.Context(), n, report(n, 2, true))

	testkit.Must(t, err)
	if after, _ := r.nodes.Heard(n); len(before.Unknown) != 1 || len(after.Unknown) != 0 {
		t.Errorf("got unknown %v, then %v; want one, and none once the node has nothing", before.Unknown, after.Unknown)
	}
}

func TestReport_EndsWhatANodeNoLongerKnows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.joined("n1", cluster.RoleHeart)
	known, lost := r.Instance(release, "web", n), r.Instance(release, "web", n)
	n, err := r.Store.Node(t.Context(), n.ID)
	testkit.Must(t, err)
	late := report(n, 1, true, running(known))
	late.Revision = 1 // has not heard of the second one yet
	_, err = r.nodes.Report(t.Context(), n, late)
	testkit.Must(t, err)
	before, err := r.Store.Instance(t.Context(), lost)
	testkit.Must(t, err)
	older := report(n, 2, true, running(known))
	older.Revision, older.Epoch = n.Revision, rig.Epoch-1
	_, err = r.nodes.Report(t.Context(), n, older)
	testkit.Must(t, err)
	still, err := r.Store.Instance(t.Context(), lost)
	testkit.Must(t, err)

	applied := report(n, 3, true, running(known))
	applied.Revision = n.Revision
	_, err = r.nodes.Report(t.Context(), n, applied)
	testkit.Must(t, err)

	after, err := r.Store.Instance(t.Context(), lost)
	testkit.Must(t, err)
	if before.GoneAt != nil || still.GoneAt != nil || after.GoneAt == nil || after.State != cluster.InstanceFailed {
		t.Errorf("got gone %v, %v, then %s %v; want it ended by the last report alone", before.GoneAt, still.GoneAt, after.State, after.GoneAt)
	}
}

func TestReport_AHigherEpochIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.joined("n1", cluster.RoleHeart)
	rep := report(n, 1, true)
	rep.Epoch = rig.Epoch + 1

	_, err := r.nodes.Report(t.Context(), n, rep)

	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestUnheard_CountsFromTheStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	said := r.joined("n1", cluster.RoleHeart)
	never := r.Node("n2", cluster.RoleHeart)

	for _, later := range []time.Duration{15 * time.Second, time.Second} {
		r.Clock.Forward(later)
		want := later == time.Second
		if a, b := r.nodes.Unheard(said), r.nodes.Unheard(never); a != want || b != want {
			t.Errorf("got unheard %t and %t, want %t", a, b, want)
		}
	}
}

func TestUnheard_JudgesNodesWithoutAHeart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		roles  []cluster.Role
		report bool // of the node
		router bool // reports
		want   bool
	}{
		"a router of the version before": {[]cluster.Role{cluster.RoleRouter}, false, true, false},
		"a router whose nginx is down":   {[]cluster.Role{cluster.RoleRouter}, true, false, false},
		"a builder":                      {[]cluster.Role{cluster.RoleBuilder}, true, false, false},
		"a dead router":                  {[]cluster.Role{cluster.RoleRouter}, false, false, true},
		"a dead builder":                 {[]cluster.Role{cluster.RoleBuilder}, false, false, true},
		"a dead heart beside a router":   {[]cluster.Role{cluster.RoleHeart, cluster.RoleRouter}, false, true, true},
	} {
		r := newRig(t)
		n := r.joined("n1", c.roles...)
		r.Clock.Forward(16 * time.Second)
		if c.report {
			_, err := r.nodes.Report(t.Context(), n, report(n, 1, true))
			testkit.Must(t, err)
		}
		if c.router {
			r.routers[n.ID] = r.Clock.Now()
		}

		if got := r.nodes.Unheard(n); got != c.want {
			t.Errorf("%s: got it unheard %t, want %t", name, got, c.want)
		}
	}
}

func TestOwnParts_LeavesOutAppsThatAreGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, other := r.joined("n1", cluster.RoleHeart), r.joined("n2", cluster.RoleHeart)
	kept, gone := r.Deploy(r.App("shop")), r.Deploy(r.App("blog"))
	mine, strange, orphan := r.Instance(kept, "web", n), r.Instance(kept, "web", other), r.Instance(gone, "web", n)
	testkit.Must(t, r.Store.DeleteApp(t.Context(), gone.AppID))

	got, err := r.nodes.OwnParts(t.Context(), n, []cluster.LogPart{{Instance: mine}, {Instance: strange}, {Instance: orphan}})

	testkit.Must(t, err)
	if len(got) != 1 || got[0].Instance != mine || got[0].App != kept.AppID {
		t.Errorf("got %+v, want the lines of its own instance of an app that is there", got)
	}
}
