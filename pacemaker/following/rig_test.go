package following_test

import (
	"testing"

	"aorta/internal/broadcast"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/following"
	"aorta/pacemaker/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// fixture follows operations of a real store.
type fixture struct {
	*rig.Rig
	written   *broadcast.Signal
	following *following.Following
}

func newRig(tb testing.TB) *fixture {
	tb.Helper()
	r := &fixture{Rig: rig.New(tb), written: broadcast.New()}
	r.following = following.New(following.Config{Store: r.Store, Jobs: r.Jobs, Written: r.written, Now: r.Clock.Now})
	return r
}

// plant gives an operation its tree, as the reconciler does.
func (r *fixture) plant(op cluster.Operation) {
	r.TB.Helper()
	root := jobs.Spec{ID: string(op.ID), Kind: cluster.JobDeploy, Queue: jobs.RoleQueue("pacemaker"), Title: op.Title}
	testkit.Must(r.TB, r.Jobs.Add(r.TB.Context(), root, string(op.ID)))
	r.written.Notify()
}
