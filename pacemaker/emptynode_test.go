package pacemaker

import (
	"context"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
)

// Nothing can be moved off a dead node, which is said at once, before a drain and by its
// preview, with what to do.
func TestDrain_OfADeadNodeIsRefused(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	f.pass(17*time.Second, 3)
	n3 := f.now(f.nodes[2])

	_, early := f.DrainNode(t.Context(), n3, "ann")
	f.replaceOn(f.nodes[1])
	f.pass(time.Second, 3)
	_, late := f.DrainNode(t.Context(), n3, "ann")
	_, plan := f.PreviewDrain(t.Context(), n3)

	wantConflict(t, "before all is replaced", early, `node "n3" is dead, so nothing can be moved off it: 1 instance there is not replaced yet; if the machine is lost for good, run aorta nodes remove n3, else`)
	wantConflict(t, "once all is replaced", late, "all that ran there runs elsewhere")
	wantConflict(t, "its preview", plan, "all that ran there runs elsewhere")
	if f.now(n3).Draining || len(f.open(cluster.OpDrain)) != 0 {
		t.Error("a drain that was refused goes on")
	}
}

// A drain whose node dies or is removed is cancelled: it would never end, or say that it
// had succeeded.
func TestDrain_EndsWithItsNode(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		end  func(f *fleet, n cluster.Node)
		want string
	}{
		"dead": {func(f *fleet, _ cluster.Node) { f.pass(17*time.Second, 3) }, "node n3 is dead"},
		"removed": {func(f *fleet, n cluster.Node) {
			_, err := f.Members.Remove(t.Context(), n, "ann")
			testkit.Must(t, err)
		}, "node n3 was removed from the cluster"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 3)
			n3 := f.nodes[2]
			op, err := f.DrainNode(t.Context(), n3, "ann")
			testkit.Must(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { // ends with ctx
				_, err := f.Handlers()[cluster.JobEmptyNode](ctx, jobs.NewRun(jobs.Job{ID: "j", Tree: string(op.ID), Kind: cluster.JobEmptyNode, Args: encoded(cluster.NodeArgs{Node: n3.ID})}, 1, &grafts{}))
				done <- err
			}()

			c.end(f, n3)
			f.nodes = f.nodes[:2]
			f.pass(time.Second)
			cancel()

			op, err = f.store.Operation(t.Context(), op.ID)
			testkit.Must(t, err)
			if !strings.Contains(op.AbortReason, c.want) {
				t.Errorf("got the reason %q to end the drain, want %q", op.AbortReason, c.want)
			}
			if err := <-done; err == nil {
				t.Error("the job that empties the node has succeeded")
			}
		})
	}
}

// A drain that is cancelled says how far it came, and what becomes of the node.
func TestDrain_SaysWhatItHadDone(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	op, err := f.DrainNode(t.Context(), f.nodes[1], "ann")
	testkit.Must(t, err)
	job := &jobs.Job{ID: "j", Kind: cluster.JobEmptyNode, State: jobs.Aborted, Progress: jobs.Progress{N: 2, M: 5}}
	tree := &jobs.Tree{
		ID: string(op.ID), Operation: string(op.ID), State: jobs.Aborted, Stop: &jobs.Stop{State: jobs.Aborted, Reason: "cancelled by ann"},
		Jobs: map[string]*jobs.Job{string(op.ID): following.RootJob(op, jobs.Aborted), "j": job},
	}

	testkit.Must(t, f.TreeEnded(t.Context(), tree))

	op, err = f.store.Operation(t.Context(), op.ID)
	testkit.Must(t, err)
	if want := "cancelled by ann; 2 of 5 instances had left it, and it takes instances again"; op.Error != want {
		t.Errorf("got %q, want %q", op.Error, want)
	}
}

// What stops already is not to move: the count is that of the plan.
func TestLeaving_CountsWhatIsToMove(t *testing.T) {
	t.Parallel()
	in := func(id string, state cluster.InstanceState) cluster.Instance {
		return cluster.Instance{ID: cluster.ID(id), Type: "web", State: state}
	}
	app := func(cluster.ID) string { return "shop" }
	seen := leaving{}

	first := seen.progress([]cluster.Instance{in("a", cluster.InstanceRunning), in("b", cluster.InstanceRunning), in("c", cluster.InstanceDraining)}, app)
	then := seen.progress([]cluster.Instance{in("b", cluster.InstanceDraining)}, app)

	if got := strings.Join(append(first, then...), "; "); got != "2 instances to move, 1 more stopping already; web.a of shop is gone, 1 left" {
		t.Errorf("got %q", got)
	}
	if got := seen.text(); got != "1 of 2 instances gone" {
		t.Errorf("got %q", got)
	}
}

// now is a node as it is in the database.
func (f *fleet) now(n cluster.Node) cluster.Node {
	f.TB.Helper()
	n, err := f.store.Node(f.TB.Context(), n.ID)
	testkit.Must(f.TB, err)
	return n
}
