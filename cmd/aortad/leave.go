package main

import (
	"context"
	"errors"
	"time"

	"aorta/internal/procs"
)

// leaveTime bounds the end of what a removed node runs.
const leaveTime = 2 * time.Minute

// leave ends what this machine runs for the cluster, which has removed it: its router
// would answer by the table of that moment for ever, and workers that run elsewhere by
// now would run twice. The pacemaker has said so over a connection that only it can
// have; while it is merely away, everything goes on.
func (d *daemon) leave(ctx context.Context, removed error) error {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	d.log.Warn("this node was removed from the cluster: its router and its instances are stopped", "err", removed)
	return refusal{errors.Join(removed,
		procs.StopRecorded(ctx, d.path("state"), d.log, watchdogName),
		d.stopInstances(ctx, "", d.out),
		procs.StopRecorded(ctx, d.path("state"), d.log), // last: it kills what is left of what is held to it
	)}
}
