package rig

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
)

// followed is the log store, with what the test does before somebody follows a log.
type followed struct{ r *Rig }

// Follow is part of live.Logs.
func (f followed) Follow(ctx context.Context, app cluster.ID, q logstore.Query, from uint64) (*logstore.Follower, error) {
	if do := f.r.beforeFollow.Swap(nil); do != nil {
		(*do)()
	}
	return f.r.Logs.Follow(ctx, app, q, from)
}

// InstanceCalled is part of view.Logs.
func (f followed) InstanceCalled(ctx context.Context, app cluster.ID, name string) (cluster.ID, error) {
	return f.r.Logs.InstanceCalled(ctx, app, name)
}

// BeforeFollow does something once, when the next follower of a log has found its
// app and not begun yet.
func (r *Rig) BeforeFollow(do func()) { r.beforeFollow.Store(&do) }
