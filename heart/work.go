package heart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aorta/heart/docker"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Run is what a job's handler knows of its job; *jobs.Run is one.
type Run interface {
	Args(into any) error
	Log(line string)
	Progress(n, m int, text string)
}

// Started is the result of a start.
type Started struct {
	Instance cluster.ID `json:"instance"`
	Node     string     `json:"node"`
	Address  string     `json:"address"`
	Port     int        `json:"port,omitempty"`
}

// StartInstance handles instance.start: it returns once the instance is
// healthy, or with the cause and the last lines of its output. Run again, it
// joins the start that is under way or finds it done.
func (h *Heart) StartInstance(ctx context.Context, run Run) (any, error) {
	var args cluster.InstanceArgs
	if err := run.Args(&args); err != nil {
		return nil, err
	}
	r, err := h.take(ctx, args.Instance)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return nil, jobs.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	said := cluster.InstanceState("")
	for {
		rec, moved := r.observe()
		if rec.State != said {
			said = rec.State
			h.tell(run, rec)
		}
		switch {
		case rec.State == cluster.InstanceRunning && !rec.StopAsked:
			return Started{Instance: args.Instance, Node: h.cfg.NodeName, Address: h.Address(), Port: rec.Spec.Port}, nil
		case rec.State.Ended() || rec.StopAsked:
			return nil, jobs.Permanent(h.failure(run, rec))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for instance %s: %w", args.Instance.Short(), context.Cause(ctx))
		case <-moved:
		}
	}
}

// tell says in the job's log how far the start is.
func (h *Heart) tell(run Run, rec record) {
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

// failure is the error of a start that came to nothing, with the last lines in
// the job's log and in the text.
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
		text += "\nits last lines:\n  " + strings.Join(rec.Tail, "\n  ")
	}
	return errors.New(text)
}

// StopInstance handles instance.stop: SIGTERM, the grace, SIGKILL, the last
// lines shipped, the container removed. It returns once nothing is left; run
// again, it joins the stop or finds it done.
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
		rec, moved := r.observe()
		if rec.Gone {
			run.Log(fmt.Sprintf("%s %s: gone from %s", rec.Spec.Type, rec.Spec.ID.Short(), h.cfg.NodeName))
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the end of instance %s: %w", args.Instance.Short(), context.Cause(ctx))
		case <-moved:
		}
	}
}

// PruneImages handles image.prune: it removes this cluster's images that
// nothing keeps and no container uses. The result is the number removed.
func (h *Heart) PruneImages(ctx context.Context, run Run) (any, error) {
	keep, err := h.pace.KeepImages(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask which images to keep: %w", err)
	}
	used, err := h.engine.ImagesInUse(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.engine.Images(ctx)
	if err != nil {
		return nil, err
	}
	removed := 0
	for i, img := range list {
		run.Progress(i, len(list), "looking at images")
		if used[img.ID] || slices.Contains(keep.IDs, img.ID) || slices.Contains(keep.Builds, img.Build) {
			continue
		}
		gone, err := h.pruneOne(ctx, img)
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
			run.Log(fmt.Sprintf("removed image %s %v", img.ID, img.Tags))
		}
	}
	return removed, nil
}

func (h *Heart) pruneOne(ctx context.Context, img docker.Image) (bool, error) {
	err := h.engine.RemoveImage(ctx, img)
	if errors.Is(err, docker.ErrInUse) || errors.Is(err, docker.ErrNoImage) {
		return false, nil // a container was made meanwhile, or it went with its child
	}
	return err == nil, err
}
