package heart

import (
	"cmp"
	"context"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Run is a job's handle, as far as handlers here use it; *jobs.Run is one.
type Run interface {
	Args(into any) error
	Log(line string)
	Progress(n, m int, text string)
	Graft(children ...jobs.Spec) error
}

// Started is the result of a start.
type Started struct {
	Instance cluster.ID `json:"instance"`
	Node     string     `json:"node"`
	Address  string     `json:"address"`
	Port     int        `json:"port,omitempty"`
}

// StartInstance handles instance.start: it returns once the instance is
// healthy, or fails with the cause; the last lines of its output are in the job's
// log. A repeated call waits for the start that is under way, or finds it done. When
// the image has to be built again, the job leaves that and the start after it to others.
func (h *Heart) StartInstance(ctx context.Context, run Run) (any, error) {
	var args cluster.InstanceArgs
	if err := run.Args(&args); err != nil {
		return nil, err
	}
	r, err := h.ensureRunner(ctx, args.Instance)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return nil, jobs.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	if args.Rebuilt {
		r.imageBuilt()
	}
	told, waited := cluster.InstanceState(""), ""
	for {
		rec, waits, changed := r.observe()
		if rec.State != told || waits != waited {
			told, waited = rec.State, waits
			reportProgress(run, rec, waits)
		}
		switch {
		case rec.State == cluster.InstanceRunning && !rec.StopAsked:
			return Started{Instance: args.Instance, Node: h.cfg.NodeName, Address: h.Address(), Port: rec.Spec.Port}, nil
		case rec.State.Ended() || rec.StopAsked:
			return nil, jobs.Permanent(h.failure(run, rec))
		case rec.ImageGone:
			return nil, h.askForImage(run, args.Operation, rec)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for instance %s: %w", args.Instance.Short(), context.Cause(ctx))
		case <-changed:
		}
	}
}

// startParts is how many parts of a start people hear of.
const startParts = 3

// reportProgress tells how far the start is, and what it waits for if that is known.
func reportProgress(run Run, rec record, waits string) {
	switch rec.State {
	case cluster.InstanceAssigned:
		run.Progress(0, startParts, waits)
	case cluster.InstancePulling:
		run.Progress(1, startParts, cmp.Or(waits, "pulling "+rec.Spec.Image.Ref))
	case cluster.InstanceStarting:
		run.Progress(2, startParts, cmp.Or(waits, "starting"))
	case cluster.InstanceRunning:
		run.Progress(startParts, startParts, "running")
	}
}

// nameOf is how people see an instance called.
func nameOf(s cluster.InstanceSpec) string { return s.Type + "." + s.ID.Short() }

// failure is the error of a failed start. The last lines of its output go to the
// job's log.
func (h *Heart) failure(run Run, rec record) error {
	name := nameOf(rec.Spec) + " on " + h.cfg.NodeName
	if rec.Error == "" {
		return cluster.Conflict("%s was stopped before it was healthy", name)
	}
	for _, line := range rec.Tail {
		run.Log(line)
	}
	return fmt.Errorf("%s: %s", name, rec.Error)
}

// StopInstance handles instance.stop: SIGTERM, the grace, SIGKILL, the last
// lines shipped, the container removed. It returns once nothing is left; a
// repeated call waits for the stop that is under way, or finds it done.
func (h *Heart) StopInstance(ctx context.Context, run Run) (any, error) {
	var args cluster.InstanceArgs
	if err := run.Args(&args); err != nil {
		return nil, err
	}
	r, err := h.stop(ctx, args.Instance)
	if err != nil {
		return nil, err
	}
	for {
		rec, _, changed := r.observe()
		if rec.Gone {
			run.Log("removed from " + h.cfg.NodeName)
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the end of instance %s: %w", args.Instance.Short(), context.Cause(ctx))
		case <-changed:
		}
	}
}
