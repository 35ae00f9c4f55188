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

// callTimeout bounds one call to the pacemaker.
const callTimeout = 10 * time.Second

// applied is the newest set of assignments that this heart has fully applied.
type applied struct {
	Epoch    uint64 `json:"epoch"`
	Revision int    `json:"revision"`
	// Node is whose set it was: another node's revisions, on the same disk, are no
	// older or newer ones. A version before this one wrote none.
	Node cluster.ID `json:"node,omitempty"`
}

func (a applied) before(b applied) bool {
	return a.Epoch < b.Epoch || a.Epoch == b.Epoch && a.Revision < b.Revision
}

func (h *Heart) appliedFile() string { return filepath.Join(h.cfg.DataDir, "applied.json") }

func loadApplied(file string, node cluster.ID) (applied, error) {
	var a applied
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		return a, fmt.Errorf("read %s, the last applied assignment (remove it to accept any again): %w", file, err)
	}
	if a.Node != "" && a.Node != node {
		return applied{}, nil
	}
	return a, nil
}

func (h *Heart) appliedNow() applied {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.applied
}

// queueAnswer passes an answer to applyAnswers. It replaces one that still
// waits there, which is older.
func (h *Heart) queueAnswer(a cluster.ReportAnswer) {
	select {
	case <-h.answers:
	default:
	}
	h.answers <- a
}

// applyAnswers applies answers in a loop of its own, so that reports go on
// while a hundred specs are fetched.
func (h *Heart) applyAnswers(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-h.answers:
			h.applyAnswer(ctx, a)
		}
	}
}

// applyAnswer applies one answer. The set counts as applied only when all of
// its starts were accepted.
func (h *Heart) applyAnswer(ctx context.Context, a cluster.ReportAnswer) {
	set := applied{Epoch: a.Epoch, Revision: a.Revision, Node: h.cfg.NodeID}
	if set.before(h.appliedNow()) {
		h.log.Warn("dropped an outdated assignment", "epoch", a.Epoch, "revision", a.Revision)
		return
	}
	whole := true
	for _, id := range a.Start {
		if _, err := h.ensureRunner(ctx, id); err != nil && cluster.CodeOf(err) != cluster.CodeNotFound {
			whole = false
			h.log.Warn("can't start an instance; tried again with the next report", "instance", id, "err", err)
		}
	}
	for _, id := range a.Stop {
		if _, err := h.stop(ctx, id); err != nil {
			h.log.Warn("can't stop an instance; tried again with the next report", "instance", id, "err", err)
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
		h.log.Error("could not record the applied assignment", "err", err)
	}
}

// ensureRunner returns the instance's runner and makes it if needed. An unknown
// spec is fetched; the pacemaker has none for an instance that is no longer
// wanted, so a start that arrives late does nothing.
func (h *Heart) ensureRunner(ctx context.Context, id cluster.ID) (*runner, error) {
	if r := h.runner(id); r != nil && !r.record().Stray {
		return r, nil
	}
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	lapses := h.guard.Lapses()
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
		r.adoptStray(spec)
		return r, nil
	}
	rec := newRecord(spec)
	if err := h.records.save(rec); err != nil {
		return nil, fmt.Errorf("record instance %s: %w", id.Short(), err)
	}
	r := h.addRunner(rec)
	r.leave.give(lapses)
	h.reportSoon()
	return r, nil
}

// adoptStray completes the record of a container that was found without one.
func (r *runner) adoptStray(spec cluster.InstanceSpec) {
	if !r.record().Stray {
		return
	}
	r.update(func(rec *record) {
		rec.Stray, rec.Spec, rec.Healthy, rec.State = false, spec, true, cluster.InstanceRunning
	})
	if err := r.h.ports.claim(spec.Port, r.id, time.Now()); err != nil {
		r.h.log.Warn("the ledger has the port of an adopted instance as another's", "instance", r.id, "err", err)
	}
	r.nudge()
}

// stop makes the instance end and its container go; the runner does the work.
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

// forget removes the record of an instance whose end the pacemaker has stored.
func (h *Heart) forget(id cluster.ID) {
	r := h.runner(id)
	if r == nil || !r.record().Gone {
		return
	}
	if err := h.records.delete(id); err != nil {
		h.log.Error("could not remove the record of an ended instance", "instance", id, "err", err)
		return
	}
	h.mu.Lock()
	delete(h.runners, id)
	h.mu.Unlock()
	h.reportSoon()
}
