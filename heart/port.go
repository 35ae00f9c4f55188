package heart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// portTriesLimit is how many other ports a starting instance may try.
const portTriesLimit = 5

// portTrouble says whether another port would help: this one is in use on the
// node, or in quarantine.
func portTrouble(err error) bool {
	return errors.Is(err, ErrPortRefused) || errors.Is(err, docker.ErrPortTaken)
}

// changePort gets another port from the pacemaker and starts over with it.
func (r *runner) changePort(ctx context.Context, rec record, cause error) time.Duration {
	r.portTries++
	spec, err := r.h.pace.OtherPort(ctx, r.id, rec.Spec.Port)
	switch {
	case ctx.Err() != nil:
		return retryUnknown
	case cluster.CodeOf(err) == cluster.CodeUnavailable:
		return r.unknown(ctx, err)
	case err == nil && spec.Port == rec.Spec.Port:
		err = cause
	}
	if err != nil {
		r.fail(ctx, fmt.Sprintf("%s; no other port is available: %s", cause, err))
		return 0
	}
	// A container that was created already publishes the old port.
	if err := r.h.engine.Remove(ctx, r.id); err != nil {
		return r.unknown(ctx, err)
	}
	if err := r.h.ports.release(rec.Spec.Port, r.id, time.Now()); err != nil {
		return r.unknown(ctx, err)
	}
	r.h.log.Warn("moved an instance to another port", "instance", r.id, "refused", rec.Spec.Port, "port", spec.Port, "cause", cause)
	r.update(func(rec *record) { rec.Spec = spec })
	return 0
}
