package view

import (
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// Build is a build of an app's.
func Build(app string, b store.ListedBuild) (wire.Build, error) {
	w := wire.Build{
		ID: string(b.Build.Operation), Build: string(b.ID), App: app, Kind: string(b.Kind), Source: b.Source, State: buildState(b), Error: b.Error,
		Title: b.Operation.Title, User: b.Operation.User, Image: b.Image.Ref, Size: b.Image.Size,
		Steps: b.Steps, Cached: b.Cached, Duration: b.Took.Seconds(), CreatedAt: b.CreatedAt, EndedAt: b.EndedAt,
	}
	if b.Release > 0 {
		w.Release = cluster.Release{Number: b.Release}.Label()
	}
	if b.Operation.ID == "" {
		return w, nil
	}
	args, err := b.Operation.Request()
	w.Message = args.Message
	return w, err
}

// buildState is one that has not ended as its operation has: that was cancelled, or
// failed before it.
func buildState(b store.ListedBuild) string {
	switch {
	case b.State == cluster.BuildReady:
		return "succeeded"
	case b.State == cluster.BuildFailed || b.Operation.State == cluster.OperationFailed:
		return "failed"
	case b.Operation.State == cluster.OperationOpen:
		return "running"
	}
	return "aborted"
}
