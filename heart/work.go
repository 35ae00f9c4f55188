package heart

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
// healthy, or fails with the cause and the last lines of its output. A repeated
// call waits for the start that is under way, or finds it done. When the image
// has to be built again, the job leaves that and the start after it to others.
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
	logged, waited := cluster.InstanceState(""), ""
	for {
		rec, waits, changed := r.observe()
		if rec.State != logged {
			logged = rec.State
			h.logProgress(run, rec)
		}
		if waits != "" && waits != waited {
			waited = waits
			run.Log(fmt.Sprintf("%s %s: waits: %s", rec.Spec.Type, rec.Spec.ID.Short(), waits))
		}
		switch {
		case rec.State == cluster.InstanceRunning && !rec.StopAsked:
			return Started{Instance: args.Instance, Node: h.cfg.NodeName, Address: h.Address(), Port: rec.Spec.Port}, nil
		case rec.State.Ended() || rec.StopAsked:
			return nil, jobs.Permanent(h.failure(run, rec))
		case rec.ImageGone:
			return nil, h.askForBuild(run, args.Operation, rec)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for instance %s: %w", args.Instance.Short(), context.Cause(ctx))
		case <-changed:
		}
	}
}

// logProgress writes into the job's log how far the start is.
func (h *Heart) logProgress(run Run, rec record) {
	name := fmt.Sprintf("%s %s", rec.Spec.Type, rec.Spec.ID.Short())
	switch rec.State {
	case cluster.InstancePulling:
		run.Progress(1, 3, "pulling the image")
		run.Log(fmt.Sprintf("%s: pulling %s", name, rec.Spec.Image.Ref))
	case cluster.InstanceStarting:
		run.Progress(2, 3, "starting")
		run.Log(fmt.Sprintf("%s: starting on %s", name, h.cfg.NodeName))
	case cluster.InstanceRunning:
		run.Progress(3, 3, "healthy")
		run.Log(fmt.Sprintf("%s: healthy on %s", name, h.cfg.NodeName))
	}
}

// failure is the error of a failed start. The output's last lines are in its
// text and go to the job's log.
func (h *Heart) failure(run Run, rec record) error {
	name := fmt.Sprintf("%s instance %s on %s", rec.Spec.Type, rec.Spec.ID.Short(), h.cfg.NodeName)
	if rec.Error == "" {
		return cluster.Conflict("%s was stopped before it was healthy", name)
	}
	text := fmt.Sprintf("%s failed: %s", name, rec.Error)
	if len(rec.Tail) > 0 {
		for _, line := range rec.Tail {
			run.Log("  " + line)
		}
		text += "\nlast log lines:\n  " + strings.Join(rec.Tail, "\n  ")
	}
	return errors.New(text)
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
			run.Log(fmt.Sprintf("%s %s: removed from %s", rec.Spec.Type, rec.Spec.ID.Short(), h.cfg.NodeName))
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the end of instance %s: %w", args.Instance.Short(), context.Cause(ctx))
		case <-changed:
		}
	}
}
