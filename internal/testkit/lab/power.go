package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Kill takes the host's power away: all its processes end, those of its containers
// too, at once and unheard, and its network with them. Its disk stays.
func (h *Host) Kill(ctx context.Context) error {
	_, unlock, err := h.lab.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !h.IsOn() {
		return fmt.Errorf("%s is off already (scripts/lab boot %s)", h.Name, h.Name)
	}
	// First its port, so that nobody hears of it. The kernel would take the link away
	// too, but a moment later.
	if err := h.lab.port(ctx, h.Name, "link set "+h.Name+" down"); err != nil {
		return err
	}
	if err := h.group.kill(ctx); err != nil {
		return err
	}
	if err := h.lab.port(ctx, h.Name, "link del "+h.Name); err != nil {
		return err
	}
	return errors.Join(unmountBelow(h.Disk()), h.forget(), h.fall(), h.group.remove(ctx))
}

// Boot gives the host power again: its engine and its daemon start on its disk, and
// it returns when both are ready.
func (h *Host) Boot(ctx context.Context) error {
	now, unlock, err := h.lab.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if h.IsOn() {
		return fmt.Errorf("%s is on (scripts/lab kill %s)", h.Name, h.Name)
	}
	if err := h.powerOn(ctx); err != nil {
		return err
	}
	if err := h.lab.apply(ctx, now.Cuts); err != nil || h.lab.rec.Bare {
		return err
	}
	if len(h.Roles) == 0 {
		return nil
	}
	return h.StartDaemon(ctx)
}

// powerOn makes the host's network and starts its engine.
func (h *Host) powerOn(ctx context.Context) error {
	if err := errors.Join(h.group.make(h.lab.rec.Memory), os.MkdirAll(h.Disk(), 0o755)); err != nil {
		return err
	}
	if err := h.lab.plug(ctx, h.Room, h.place); err != nil || h.lab.rec.Bare {
		return err
	}
	return h.startEngine(ctx)
}
