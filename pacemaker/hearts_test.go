package pacemaker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// report makes a node's report of all that it has.
func report(n cluster.Node, counter uint64, full bool, list ...cluster.InstanceStatus) cluster.Report {
	return cluster.Report{
		Session: "session-" + n.Name, Counter: counter, Epoch: testEpoch, Roles: n.Roles, Address: "10.77.0.3",
		Digest: cluster.InstanceDigest(list), Full: full, Instances: list,
	}
}

func running(id cluster.ID) cluster.InstanceStatus {
	return cluster.InstanceStatus{ID: id, State: cluster.InstanceRunning}
}

func TestHello_OneProcessPerNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.newNode("n1", cluster.RoleHeart)

	again := r.Hello(t.Context(), n, helloOf(n, "host-n1", "session-n1"))
	elsewhere := r.Hello(t.Context(), n, helloOf(n, "other-host", "session-2"))
	successor := r.Hello(t.Context(), n, helloOf(n, "host-n1", "session-3"))
	_, first := r.Report(t.Context(), n, report(n, 9, true))
	r.clock.forward(15 * time.Second)
	moved := r.Hello(t.Context(), n, helloOf(n, "other-host", "session-2"))

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
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	id := r.instance(release, "web", n)
	early := helloOf(n, "host-n1", "session-2")
	early.Address = ""

	must(t, r.Hello(t.Context(), n, early))

	st, err := r.store.Routes(t.Context())
	must(t, err)
	if !instancesIn(buildTable(st))[id] {
		t.Error("got the instance out of the routes, want it served on while its heart comes up")
	}
}

func TestReport_NeedsASession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n, _, err := r.CreateNode(t.Context(), "n1", []cluster.Role{cluster.RoleHeart}, "admin")
	must(t, err)

	_, err = r.Report(t.Context(), n, report(n, 1, true))

	if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), "hello") {
		t.Errorf("got %v, want a conflict that asks for hello", err)
	}
}

func TestReport_OldCountersAreDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	id := r.instance(release, "web", n)
	_, err := r.Report(t.Context(), n, report(n, 5, true, running(id)))
	must(t, err)

	for _, counter := range []uint64{4, 5} {
		_, err = r.Report(t.Context(), n, report(n, counter, true, cluster.InstanceStatus{ID: id, State: cluster.InstanceFailed, Gone: true}))
		must(t, err)
	}

	in, err := r.store.Instance(t.Context(), id)
	must(t, err)
	if in.State != cluster.InstanceRunning || in.GoneAt != nil {
		t.Errorf("got %s, want the late words dropped", in.State)
	}
}

func TestReport_AsksForAllWhenSumsDiffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	one, two := r.instance(release, "web", n), r.instance(release, "web", n)
	part := report(n, 1, false, running(one))

	before, err := r.Report(t.Context(), n, part)
	must(t, err)
	whole, err := r.Report(t.Context(), n, report(n, 2, true, running(one), running(two)))
	must(t, err)
	quiet := report(n, 3, false)
	quiet.Digest = cluster.InstanceDigest([]cluster.InstanceStatus{running(one), running(two)})
	same, err := r.Report(t.Context(), n, quiet)
	must(t, err)
	other := report(n, 4, false, cluster.InstanceStatus{ID: one, State: cluster.InstanceRunning, Restarts: 1})
	other.Digest = "another sum"
	differs, err := r.Report(t.Context(), n, other)
	must(t, err)

	if !before.SendFull || whole.SendFull || same.SendFull || !differs.SendFull {
		t.Errorf("got asked %t before any full set, %t after it, %t with the same sum, %t with another; want true, false, false, true",
			before.SendFull, whole.SendFull, same.SendFull, differs.SendFull)
	}
}

func TestReport_NamesWhatToStartStopAndForget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	there, draining, missing, ended := r.instance(release, "web", n), r.instance(release, "web", n), r.instance(release, "web", n), r.instance(release, "web", n)
	gone, back, stranger := r.instance(release, "web", n), r.instance(release, "web", n), cluster.NewID()
	r.lose(n, gone)
	r.lose(n, back)
	r.lose(n, ended)
	must(t, r.turn())
	must(t, r.store.Promote(t.Context(), store.Promotion{App: release.AppID, Drain: []cluster.ID{draining}}))
	list := []cluster.InstanceStatus{
		running(there), running(draining), running(back), running(stranger), {ID: gone, State: cluster.InstanceFailed, Gone: true},
	}
	all := func(counter uint64) cluster.ReportAnswer {
		t.Helper()
		rep := report(n, counter, true, list...)
		rep.Revision = -1 // applied none of the assignments yet
		a, err := r.Report(t.Context(), n, rep)
		must(t, err)
		return a
	}

	published := all(1)
	must(t, r.turn())
	unrouted := all(2)
	r.clock.forward(61 * time.Second)
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
	if h, _ := r.Heard(n.ID); !slices.Equal(h.Unknown, []cluster.ID{stranger}) {
		t.Errorf("got unknown %v, want %v left alone and listed", h.Unknown, stranger)
	}
}

func TestReport_EndsWhatANodeNoLongerKnows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.deploy(r.newApp("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	known, lost := r.instance(release, "web", n), r.instance(release, "web", n)
	n, err := r.store.Node(t.Context(), n.ID)
	must(t, err)
	late := report(n, 1, true, running(known))
	late.Revision = 1 // has not heard of the second one yet
	_, err = r.Report(t.Context(), n, late)
	must(t, err)
	before, err := r.store.Instance(t.Context(), lost)
	must(t, err)
	older := report(n, 2, true, running(known))
	older.Revision, older.Epoch = n.Revision, testEpoch-1
	_, err = r.Report(t.Context(), n, older)
	must(t, err)
	still, err := r.store.Instance(t.Context(), lost)
	must(t, err)

	applied := report(n, 3, true, running(known))
	applied.Revision = n.Revision
	_, err = r.Report(t.Context(), n, applied)
	must(t, err)

	after, err := r.store.Instance(t.Context(), lost)
	must(t, err)
	if before.GoneAt != nil || still.GoneAt != nil || after.GoneAt == nil || after.State != cluster.InstanceFailed {
		t.Errorf("got gone %v, %v, then %s %v; want it ended by the last report alone", before.GoneAt, still.GoneAt, after.State, after.GoneAt)
	}
}

func TestReport_AHigherEpochIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.newNode("n1", cluster.RoleHeart)
	rep := report(n, 1, true)
	rep.Epoch = testEpoch + 1

	_, err := r.Report(t.Context(), n, rep)

	if cluster.CodeOf(err) != cluster.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestUnheard_CountsFromTheStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	said := r.newNode("n1", cluster.RoleHeart)
	never, _, err := r.CreateNode(t.Context(), "n2", []cluster.Role{cluster.RoleHeart}, "admin")
	must(t, err)

	for _, later := range []time.Duration{15 * time.Second, time.Second} {
		r.clock.forward(later)
		want := later == time.Second
		if a, b := r.Unheard(said.ID), r.Unheard(never.ID); a != want || b != want {
			t.Errorf("got unheard %t and %t, want %t", a, b, want)
		}
	}
}
