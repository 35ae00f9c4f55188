package heart

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// awaitBuild does the next step of an instance whose image was built here and is
// not on the engine: somebody removed it, or the engine is another one. It takes
// up an image that was built meanwhile, or notes that it needs one: the job that
// starts the instance asks for it (askForBuild).
func (r *runner) awaitBuild(ctx context.Context, rec record) time.Duration {
	if rec.ImageGone {
		return inspectInterval
	}
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	spec, err := r.h.pace.Spec(bounded, r.id)
	switch {
	case err != nil:
		return inspectInterval // the pacemaker is away, or its stop is on the way
	case spec.Image != rec.Spec.Image || spec.Build != rec.Spec.Build:
		r.update(func(rec *record) { rec.Spec.Image, rec.Spec.Build = spec.Image, spec.Build })
		return 0
	}
	missing := fmt.Errorf("its image %s is gone from the Docker engine at %s", rec.Spec.Image.Ref, r.h.engine.Host())
	switch {
	case rec.Healthy:
		// No job starts it. The operation that replaces it has the image built.
		r.fail(ctx, missing.Error())
	case rec.Rebuilt:
		return r.failStart(ctx, rec, fmt.Errorf("%w, although it was built again: the builder has another engine, or it was removed once more (keep it, then: aorta ps restart -a %s)", missing, rec.Spec.App))
	case rec.Spec.Build == "":
		return r.failStart(ctx, rec, fmt.Errorf("its image is missing: %w (deploy the app again: git push, or aorta deploy -a %s)", missing, rec.Spec.App))
	default:
		r.h.shipper.AddSystemLine(r.target(rec), missing.Error()+"; it is being built again")
		r.update(func(rec *record) { rec.ImageGone = true })
	}
	return inspectInterval
}

// imageBuilt lets an instance go on that waits for its image.
func (r *runner) imageBuilt() {
	r.update(func(rec *record) { rec.ImageGone, rec.Rebuilt = false, true })
	r.nudge()
}

// askForBuild adds to a start's tree what its instance waits for: another build
// of its image, and then the starts of all that waits for it on this node. The
// starts of one operation ask for the same jobs, so that it builds an image once.
func (h *Heart) askForBuild(run Run, op cluster.ID, rec record) error {
	s := rec.Spec
	run.Log(fmt.Sprintf("image %s is gone from the engine of %s, so it is built again", s.Image.Ref, h.cfg.NodeName))
	at := string(s.Build) + "/" + string(h.cfg.NodeID)
	subject := jobs.Subject{App: s.App, Release: s.Release, Node: h.cfg.NodeName}
	return run.Graft(jobs.Spec{
		ID: string(cluster.DeriveID(op, "start/"+at, 0)), Kind: cluster.JobStart, Queue: jobs.RoleQueue(string(cluster.RolePacemaker)),
		Title: fmt.Sprintf("Start %s on %s from the new image", s.Release, h.cfg.NodeName), Subject: subject, Priority: jobs.Normal,
		Args: encode(cluster.NodeArgs{Node: h.cfg.NodeID}),
		Children: []jobs.Spec{{
			ID: string(cluster.DeriveID(op, "rebuild/"+at, 0)), Kind: cluster.JobBuild, Queue: jobs.RoleQueue(string(cluster.RoleBuilder)),
			Title: fmt.Sprintf("Build %s again: its image is gone from %s", s.Release, h.cfg.NodeName), Subject: subject, Priority: jobs.Normal,
			Args: encode(cluster.BuildArgs{Operation: op, Build: s.Build}),
		}},
	})
}

func encode(args any) []byte {
	raw, err := json.Marshal(args)
	if err != nil {
		panic(fmt.Sprintf("encode the arguments of a job: %v", err)) // ids only: it can't fail
	}
	return raw
}
