package pacemaker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// scaleTo scales web and lets the scaling end.
func (r *rig) scaleTo(app cluster.App, n int) {
	r.TB.Helper()
	op, err := r.ChangeFormation(r.TB.Context(), app, map[string]ProcessChange{"web": {Quantity: &n}}, "ann")
	testkit.Must(r.TB, err)
	r.finish(op, jobs.Succeeded)
}

// concerns lists what the overview says is wrong.
func (r *rig) concerns() []string {
	r.TB.Helper()
	snapshot, err := r.Overview.Snapshot(r.TB.Context())
	testkit.Must(r.TB, err)
	var out []string
	for _, c := range snapshot.Concerns() {
		out = append(out, c.Text)
	}
	return out
}

func TestReplace_WaitsForRoomAndSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	n := r.newNode("n1", cluster.RoleHeart)
	r.load = cluster.Load{MemoryTotal: 8 << 30}
	r.report(n)
	r.Instance(release, "web", n)
	r.Instance(release, "web", n)
	r.scaleTo(shop, 4)
	r.load.MemoryTotal = 1 << 30
	r.report(n)
	begun := 0

	for range 40 {
		r.round()
		begun += len(r.open(cluster.OpReplace))
		r.Clock.Forward(2 * time.Second)
		r.report(n)
	}
	full := r.concerns()
	r.load.MemoryTotal = 8 << 30
	r.report(n)
	r.round()
	after := r.open(cluster.OpReplace)
	eased := r.concerns()

	want := "2 web of shop find no node: n1 has 0 bytes of 1 GB memory left, 512 MB is needed (add a node or limit each to less memory: aorta ps type -a shop web --memory SIZE)."
	if begun != 0 || !slices.Contains(full, want) {
		t.Errorf("got %d replacements and the concerns %q, want none and %q", begun, full, want)
	}
	if len(after) != 1 || slices.ContainsFunc(eased, func(c string) bool { return strings.Contains(c, "no node") }) {
		t.Errorf("got replacements %v and the concerns %q once there is room, want one and none of room", after, eased)
	}
}

// untilReplaced goes on in steps of a second until a replacement begins, and
// gives the time that it took.
func (r *rig) untilReplaced(n cluster.Node) (cluster.Operation, time.Duration) {
	r.TB.Helper()
	for waited := time.Duration(0); waited <= time.Hour; waited += time.Second {
		r.report(n)
		r.round()
		if ops := r.open(cluster.OpReplace); len(ops) > 0 {
			return ops[0], waited
		}
		r.Clock.Forward(time.Second)
	}
	r.TB.Fatal("no replacement in an hour")
	return cluster.Operation{}, 0
}

func TestReplace_FailedOnesSlowTheNextDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	r.Deploy(shop)
	n := r.newNode("n1", cluster.RoleHeart)
	var pauses []time.Duration
	var op cluster.Operation

	for range 11 {
		var waited time.Duration
		op, waited = r.untilReplaced(n)
		pauses = append(pauses, waited)
		r.finish(op, jobs.Failed)
	}

	want := []time.Duration{0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(pauses, want) {
		t.Errorf("got pauses %v, want %v", pauses, want)
	}
	r.missing = newMissing() // a restart remembers nothing
	again, waited := r.untilReplaced(n)
	if waited != plan.LongestPause {
		t.Errorf("got a pause of %s after a restart, want it to go on for %s", waited, plan.LongestPause)
	}
	r.finish(again, jobs.Succeeded)
	again, waited = r.untilReplaced(n)
	if waited != 0 {
		t.Errorf("got a pause of %s after a success, want none", waited)
	}
	r.finish(again, jobs.Failed)
	r.scaleTo(shop, 2)
	if _, waited = r.untilReplaced(n); waited != 0 {
		t.Errorf("got a pause of %s after somebody scaled the app, want none", waited)
	}
}

// A replacement that nobody asked for says what made it necessary.
func TestReplace_SaysWhatFailedLast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	n := r.newNode("n1", cluster.RoleHeart)
	reason := func() string {
		t.Helper()
		op, _ := r.untilReplaced(n)
		roots, err := r.Following.Roots(t.Context(), op)
		testkit.Must(t, err)
		r.finish(op, jobs.Succeeded)
		return roots[0].Reason
	}

	none := reason()
	r.scaleTo(shop, 2)
	first, second := r.Instance(release, "web", n), r.Instance(release, "web", n)
	r.Lose(n, first)
	r.Clock.Forward(time.Second)
	r.Lose(n, second)
	last := reason()
	there := r.Instance(release, "web", n)
	r.report(n, cluster.InstanceStatus{ID: there, State: cluster.InstanceFailed, Error: "out of memory"})
	kept := reason()

	got := []string{none, last, kept}
	want := []string{"", "web." + second.Short() + " on n1: it exited with 1", "web." + there.Short() + " on n1: out of memory"}
	if !slices.Equal(got, want) {
		t.Errorf("got the reasons %q, want %q", got, want)
	}
}

// What fails of one cause is one failure: an image that is removed takes all
// instances with it.
func TestReplace_InstancesThatFailTogetherCountOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	shop := r.App("shop")
	release := r.Deploy(shop)
	n := r.newNode("n1", cluster.RoleHeart)
	r.scaleTo(shop, 8)
	op := cluster.NewID()
	var all []cluster.ID
	for range 8 {
		all = append(all, r.InstanceBy(op, release, "web", n))
	}
	for _, id := range all {
		r.Lose(n, id)
	}
	r.round()
	said := r.concerns()

	_, waited := r.untilReplaced(n)

	if waited > plan.FirstPause {
		t.Errorf("got a pause of %s, want that of one failure, %s", waited, plan.FirstPause)
	}
	want := "shop does not serve: 0 of 8 instances running, the next try is at " + r.Clock.Now().UTC().Format(time.TimeOnly) + " UTC (see aorta logs -a shop)."
	if !slices.Contains(said, want) {
		t.Errorf("got the concerns %q meanwhile, want %q", said, want)
	}
}

func TestMissing_ChecksWhatChangedAndNowAndThenAll(t *testing.T) {
	t.Parallel()
	m, now := newMissing(), time.Unix(1000, 0)

	first := m.due(now)
	quiet := m.due(now.Add(2 * time.Second))
	m.mark("a", "b", "a")
	changed := m.due(now.Add(4 * time.Second))
	m.checked(changed, map[cluster.ID]waiting{"b": {until: now.Add(10 * time.Second)}}, nil, now)
	early := m.due(now.Add(9 * time.Second))
	due := m.due(now.Add(10 * time.Second))
	m.putBack(due)
	again := m.due(now.Add(12 * time.Second))
	m.checked(again, nil, nil, now)
	later := m.due(now.Add(checkAllEvery))

	slices.Sort(changed.apps)
	for what, c := range map[string]struct {
		got  check
		all  bool
		apps []cluster.ID
	}{
		"the first": {first, true, nil}, "a quiet one": {quiet, false, nil}, "after changes": {changed, false, []cluster.ID{"a", "b"}},
		"before b is due": {early, false, nil}, "once b is due": {due, false, []cluster.ID{"b"}},
		"after a failure": {again, false, []cluster.ID{"b"}}, "now and then": {later, true, nil},
	} {
		if c.got.all != c.all || !slices.Equal(c.got.apps, c.apps) {
			t.Errorf("%s: got %+v, want all %t, apps %v", what, c.got, c.all, c.apps)
		}
	}
}

// Reports name instances, not apps: an app of which one ended is checked at
// once all the same.
func TestReplace_FollowsAReportAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := r.Deploy(r.App("shop"))
	n := r.newNode("n1", cluster.RoleHeart)
	id := r.Instance(release, "web", n)
	r.round()
	before := len(r.open(cluster.OpReplace))

	r.report(n, cluster.InstanceStatus{ID: id, State: cluster.InstanceStopped, Gone: true})
	r.round()

	if after := len(r.open(cluster.OpReplace)); before != 0 || after != 1 {
		t.Errorf("got %d replacements before the report and %d after it, want none and one", before, after)
	}
}
