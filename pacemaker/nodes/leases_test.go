package nodes

import (
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// says is a hello with a lease, from a host and session of that name.
func (r *fixture) says(n cluster.Node, name string, l cluster.Lease) (cluster.Lease, error) {
	hello := helloOf(n, "host-"+name, "session-"+name)
	hello.Lease = l
	err := r.nodes.Hello(r.TB.Context(), n, hello)
	return r.nodes.Lease(n.ID, "session-"+name), err
}

// The disk of a node is copied, and both are started: who comes with the last lease is
// the node, however long it is silent.
func TestHello_ACopyOfTheDiskIsNotTheNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n3", cluster.RoleHeart)
	copied, err := r.says(n, "n3", cluster.NoLease)
	testkit.Must(t, err)
	again, err := r.says(n, "n3", cluster.NoLease)
	if err != nil || again != copied {
		t.Errorf("the same session again: got %q, %v; want %q as before", again, err, copied)
	}
	_, err = r.nodes.Report(t.Context(), n, report(n, 1, true))
	testkit.Must(t, err)
	r.Clock.Forward(time.Minute)
	now, err := r.says(n, "restarted", copied)
	testkit.Must(t, err)
	testkit.Must(t, r.nodes.useLease(t.Context(), n.ID, "session-restarted"))
	r.Clock.Forward(time.Hour)

	_, refused := r.says(n, "copy", copied)
	sees, open := r.nodes.Process(n.ID)
	_, next := r.says(n, "restarted again", now)

	if cluster.CodeOf(refused) != cluster.CodeForbidden {
		t.Errorf("the copy: got %v, want it forbidden", refused)
	}
	if !open || next != nil {
		t.Errorf("the node: got the session %q, and %v at its next start; want it to go on", sees, next)
	}
}

// A hello that is refused while another process is heard gets no lease: what the node
// was given before stays good.
func TestHello_OneThatIsRefusedTakesNoLease(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.Node("n3", cluster.RoleHeart)
	given, err := r.says(n, "n3", cluster.NoLease)
	testkit.Must(t, err)

	_, busy := r.says(n, "copy", cluster.NoLease)
	testkit.Must(t, r.nodes.useLease(t.Context(), n.ID, "session-n3"))
	r.Clock.Forward(time.Minute)
	_, next := r.says(n, "restarted", given)

	if cluster.CodeOf(busy) != cluster.CodeConflict || next != nil {
		t.Errorf("got %v, then %v; want a conflict, and the node let in", busy, next)
	}
}
