package heart

import (
	"context"
	"fmt"
	"time"

	"aorta/heart/docker"
	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// An engine without quotas lets an instance fill its disk, so that is looked at: as
// often as it costs little, measured by what the last look took.
const (
	leastMeasurePause = 10 * time.Second
	measurePauses     = 200 // times what a look takes
	measureTimeout    = 20 * time.Second
)

// wroteTooMuch measures, when it is due, what the instance's processes have written,
// and says why that is the end of it, if it is more than its limit.
func (r *runner) wroteTooMuch(ctx context.Context, s cluster.InstanceSpec, c docker.Container) (cause string) {
	began := time.Now()
	if len(c.Written) == 0 || began.Before(r.nextMeasure) {
		return ""
	}
	bounded, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	limit := s.Container.DiskLimit()
	used, err := disk.Used(bounded, limit, c.Written...)
	r.nextMeasure = time.Now().Add(max(leastMeasurePause, measurePauses*time.Since(began)))
	switch {
	case used > limit:
		return fmt.Sprintf("it has written more than its limit of %s to its disk (raise it: disk: %s of its process type in aorta.yml; files that must stay belong elsewhere, these end with the instance)",
			cluster.Bytes(limit), cluster.Bytes(2*limit))
	case err != nil && ctx.Err() == nil && !r.unmeasured:
		r.unmeasured = true
		r.h.log.Warn("what an instance has written can't be measured", "instance", r.id, "err", err)
	}
	return ""
}
