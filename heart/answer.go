package heart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aorta/heart/docker"
	"aorta/pacemaker/cluster"
)

// askLimit bounds one question to the pacemaker.
const askLimit = 10 * time.Second

// applied is the newest wanted set that this heart has taken up in full.
type applied struct {
	Epoch    uint64 `json:"epoch"`
	Revision int    `json:"revision"`
}

func (a applied) before(b applied) bool {
	return a.Epoch < b.Epoch || a.Epoch == b.Epoch && a.Revision < b.Revision
}

func (h *Heart) appliedFile() string { return filepath.Join(h.cfg.DataDir, "applied.json") }

func loadApplied(file string) (applied, error) {
	var a applied
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		return a, fmt.Errorf("read %s, the last order that was carried out (remove it to hear all orders again): %w", file, err)
	}
	return a, nil
}

func (h *Heart) appliedNow() applied {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.applied
}

// hand gives an answer to the loop that carries it out; one that waits there
// still is older and is dropped.
func (h *Heart) hand(a cluster.ReportAnswer) {
	select {
	case <-h.answers:
	default:
	}
	h.answers <- a
}

// apply carries out answers, beside the reports: fetching a hundred specs must
// not make the node look dead.
func (h *Heart) apply(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-h.answers:
			h.carryOut(ctx, a)
		}
	}
}

// carryOut does what one answer says. The set counts as applied only when each
// part of it was.
func (h *Heart) carryOut(ctx context.Context, a cluster.ReportAnswer) {
	set := applied{Epoch: a.Epoch, Revision: a.Revision}
	if set.before(h.appliedNow()) {
		h.log.Warn("dropped an order of the past", "epoch", a.Epoch, "revision", a.Revision)
		return
	}
	whole := true
	for _, id := range a.Start {
		if _, err := h.take(ctx, id); err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
			whole = false
			h.log.Warn("can't take up an instance; asked again with the next report", "instance", id, "err", err)
		}
	}
	for _, id := range a.Stop {
		if _, err := h.stop(ctx, id); err != nil {
			h.log.Warn("can't stop an instance; asked again with the next report", "instance", id, "err", err)
		}
	}
	for _, id := range a.Forget {
		h.forget(id)
	}
	if whole && h.appliedNow().before(set) {
		h.setApplied(set)
	}
}

func (h *Heart) setApplied(set applied) {
	h.mu.Lock()
	h.applied = set
	h.mu.Unlock()
	data, err := json.Marshal(set)
	if err == nil {
		err = writeFile(h.appliedFile(), data)
	}
	if err != nil {
		h.log.Error("what was carried out could not be noted", "err", err)
	}
}

// take makes sure that an instance is run here. Its spec is fetched unless it
// is known; the pacemaker gives none for what is no longer wanted, which is
// what stops a late order.
func (h *Heart) take(ctx context.Context, id cluster.ID) (*runner, error) {
	if r := h.runner(id); r != nil && !r.record().Stray {
		return r, nil
	}
	bounded, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	spec, err := h.pace.Spec(bounded, id)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		if h.runner(id) == nil {
			h.addRunner(goneRecord(id))
			h.reportSoon()
		}
		return nil, fmt.Errorf("instance %s is no longer wanted on this node: %w", id.Short(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch the spec of instance %s: %w", id.Short(), err)
	}
	if spec.ID != id {
		return nil, fmt.Errorf("the pacemaker gave the spec of %q for instance %s", spec.ID, id)
	}
	if r := h.runner(id); r != nil {
		r.claimStray(spec)
		return r, nil
	}
	rec := newRecord(spec)
	if err := h.shelf.save(rec); err != nil {
		return nil, fmt.Errorf("note instance %s: %w", id.Short(), err)
	}
	r := h.addRunner(rec)
	h.reportSoon()
	return r, nil
}

// claimStray gives a container that was found without a record its spec back.
func (r *runner) claimStray(spec cluster.InstanceSpec) {
	if !r.record().Stray {
		return
	}
	r.update(func(rec *record) {
		rec.Stray, rec.Spec, rec.Healthy, rec.State = false, spec, true, cluster.InstanceRunning
	})
	if err := r.h.ports.claim(spec.Port, r.id, time.Now()); err != nil {
		r.h.log.Warn("an adopted instance's port is noted as another's", "instance", r.id, "err", err)
	}
	r.follow(r.record())
	r.nudge()
}

// stop makes sure that an instance ends and nothing of it is left.
func (h *Heart) stop(ctx context.Context, id cluster.ID) (*runner, error) {
	r := h.runner(id)
	if r == nil {
		c, err := h.engine.Inspect(ctx, id)
		switch {
		case errors.Is(err, docker.ErrNoContainer):
			r = h.addRunner(goneRecord(id))
			h.reportSoon()
		case err != nil:
			return nil, fmt.Errorf("stop instance %s: %w", id.Short(), err)
		default:
			r = h.addRunner(strayRecord(c))
		}
	}
	r.askStop()
	return r, nil
}

// forget drops the notes of an instance whose end the pacemaker has recorded.
func (h *Heart) forget(id cluster.ID) {
	r := h.runner(id)
	if r == nil || !r.record().Gone {
		return
	}
	if err := h.shelf.drop(id); err != nil {
		h.log.Error("the record of an ended instance stays", "instance", id, "err", err)
		return
	}
	h.mu.Lock()
	delete(h.runners, id)
	h.mu.Unlock()
	h.reportSoon()
}
