package pacemaker

import (
	"fmt"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// text is a preview as one reads it: what starts, what stops, what lacks a node, and
// which nodes are refused.
func (p Preview) text() string {
	var out []string
	for _, s := range p.Steps {
		sign := "+"
		if s.Instance != "" {
			sign = "-"
		}
		out = append(out, sign+s.App+"."+s.Type+"@"+s.Node)
	}
	for _, m := range p.Missing {
		out = append(out, fmt.Sprintf("%d %s.%s: %s", m.Count, m.App, m.Type, m.Reason))
	}
	for _, r := range p.Refused {
		out = append(out, fmt.Sprintf("no %s.%s@%s (%s)", r.App, r.Type, r.Node, r.Reason))
	}
	return fmt.Sprint(p.Changes, " ", strings.Join(out, ", "))
}

// previewed is a cluster of two nodes with an app, of which one node has the tag.
func previewed(t *testing.T) (r *rig, app cluster.App, fast, slow cluster.Node) {
	t.Helper()
	r = newRig(t)
	app = r.App("shop")
	two := 2
	release := r.Deploy(app, cluster.ProcessType{Name: "web", Quantity: &two}, cluster.ProcessType{Name: "worker"})
	r.load = cluster.Load{MemoryTotal: 2 << 30, CPUs: 8}
	fast, slow = r.newNode("fast", cluster.RoleHeart), r.newNode("slow", cluster.RoleHeart)
	r.report(fast)
	r.report(slow)
	_, err := r.store.SetTags(t.Context(), fast, map[string]string{"disk": "ssd"}, "ann")
	testkit.Must(t, err)
	r.Instance(release, "web", fast)
	r.Instance(release, "web", slow)
	return r, app, fast, slow
}

func TestPreviewFormation_SaysWhatAChangeWouldDo(t *testing.T) {
	t.Parallel()
	r, app, _, _ := previewed(t)
	one, two, four, six, none := 1, 2, 4, 6, 0
	ssd := cluster.Tags{Require: []cluster.Tag{{Key: "disk"}}}
	for _, c := range []struct {
		what   string
		typ    string
		change ProcessChange
		want   string
	}{
		{"as it is", "web", ProcessChange{Quantity: &two}, "false "},
		{"two more", "web", ProcessChange{Quantity: &four}, "true +shop.web@fast, +shop.web@slow"},
		{"one fewer", "web", ProcessChange{Quantity: &one}, "true -shop.web@slow"},
		{"none", "web", ProcessChange{Quantity: &none}, "true -shop.web@fast, -shop.web@slow"},
		{"another type", "worker", ProcessChange{More: 1}, "true +shop.worker@fast"},
		{"a tag", "web", ProcessChange{Tags: ssd}, "true +shop.web@fast, -shop.web@slow, no shop.web@slow (lacks tag disk)"},
		{"a preference", "web", ProcessChange{Tags: cluster.Tags{Prefer: ssd.Require}}, "true "},
		{"too many for now", "web", ProcessChange{Quantity: &six, Limits: cluster.Limits{Memory: 600 << 20}}, "true 2 shop.web: fast has 336 MB of 2 GB memory left, 600 MB is needed; slow has 336 MB of"},
	} {
		got, err := r.PreviewFormation(t.Context(), app, map[string]ProcessChange{c.typ: c.change})

		if err != nil || !strings.HasPrefix(got.text(), c.want) || c.want == "false " && got.text() != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.what, got.text(), err, c.want)
		}
	}
	_, err := r.PreviewFormation(t.Context(), app, map[string]ProcessChange{"web": {Tags: cluster.Tags{Require: []cluster.Tag{{Key: "moon"}}}}})
	wantConflict(t, "what would be refused", err, "fast and slow lack tag moon")
	if open, err := r.store.OpenOperations(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("got operations %v, %v, want none by asking", open, err)
	}
}

// While a move or a replacement is under way there is more or less of a process type than
// is wanted, which is not what a change does, least of all of another type.
func TestPreviewFormation_NamesOnlyWhatTheChangeDoes(t *testing.T) {
	t.Parallel()
	r, app, fast, slow := previewed(t)
	release, err := r.currentRelease(t.Context(), app)
	testkit.Must(t, err)
	one, two, three, four := 1, 2, 3, 4
	op, err := r.ChangeFormation(t.Context(), app, map[string]ProcessChange{"worker": {Quantity: &one}}, "ann")
	testkit.Must(t, err)
	r.finish(op, jobs.Succeeded)
	plan := func(to *int) string {
		p, err := r.PreviewFormation(t.Context(), app, map[string]ProcessChange{"web": {Quantity: to}})
		testkit.Must(t, err)
		return p.text()
	}
	lacks := plan(&three)
	r.Instance(release, "worker", fast)
	r.Instance(release, "worker", slow)
	r.Instance(release, "web", slow)

	same, more, fewer := plan(&two), plan(&four), plan(&one)

	if want := "true +shop.web@fast"; lacks != want {
		t.Errorf("one more while a worker is missing: got %s, want %s", lacks, want)
	}
	if same != "false " || more != "true +shop.web@fast" || fewer != "true -shop.web@slow" {
		t.Errorf("while a web and a worker move: as it is got %s, two more %s, one fewer %s", same, more, fewer)
	}
}

// That a node is drained is no reason why nothing else takes what it has: it only would be.
func TestPreviewDrain_OfTheOnlyNodeSaysThatThereIsNoOther(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1)

	got, err := f.PreviewDrain(t.Context(), f.nodes[0])

	testkit.Must(t, err)
	if want := "true 1 shop.web: there is no other node"; got.text() != want {
		t.Errorf("got %s, want %s", got.text(), want)
	}
}

func TestPreviewDrain_SaysWhereInstancesWouldGo(t *testing.T) {
	t.Parallel()
	r, _, fast, slow := previewed(t)
	blog := r.App("blog")
	release := r.Deploy(blog, cluster.ProcessType{Name: "web", Limits: cluster.Limits{Memory: 256 << 20}})
	r.Instance(release, "web", slow)
	big := r.App("big")
	bigger := r.Deploy(big, cluster.ProcessType{Name: "web", Limits: cluster.Limits{Memory: 1700 << 20}})
	r.Instance(bigger, "web", slow)
	r.Instance(bigger, "web", slow)
	idle := r.newNode("idle", cluster.RoleRouter)

	busy, err := r.PreviewDrain(t.Context(), slow)
	testkit.Must(t, err)
	empty, err := r.PreviewDrain(t.Context(), idle)
	testkit.Must(t, err)
	fresh := r.newNode("fresh", cluster.RoleHeart)
	unused, err := r.PreviewDrain(t.Context(), fresh)
	testkit.Must(t, err)
	fresh.Draining = true
	drained, err := r.PreviewDrain(t.Context(), fresh)
	testkit.Must(t, err)
	drain := func(n cluster.Node) {
		_, err := r.DrainNode(t.Context(), n, "ann")
		testkit.Must(t, err)
	}
	drain(slow)
	drain(fresh)
	last, err := r.PreviewDrain(t.Context(), fast)
	testkit.Must(t, err)

	want := "true +blog.web@fast, -blog.web@slow, +shop.web@fast, -shop.web@slow, 2 big.web: fast has 1.5 GB of 2 GB memory left, 1.7 GB is needed; idle runs no instances (no heart role), no big.web@fast (has 1.5 GB of 2 GB memory left, 1.7 GB is needed)"
	if got := busy.text(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if busy.Last || empty.Last || !last.Last {
		t.Errorf("got the last node %t while another takes instances, %t of one that takes none, %t of the last", busy.Last, empty.Last, last.Last)
	}
	if got := empty.text(); got != "false " {
		t.Errorf("a node that takes no instances: got %s, want no change", got)
	}
	if got := unused.text(); got != "true " {
		t.Errorf("a node that has none yet: got %s, want that it would take none any more", got)
	}
	if got := drained.text(); got != "false " {
		t.Errorf("a node that is drained: got %s, want no change", got)
	}
}
