package heart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// awaitImage does the next step of an instance whose image is neither on the engine
// nor in the cluster's registry: it was built before this node was there, or somebody
// removed it. It takes up one that came meanwhile, or notes that it needs it: the job
// that starts the instance asks for it (askForImage).
func (r *runner) awaitImage(ctx context.Context, rec record, why error) time.Duration {
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
	missing := fmt.Errorf("its image %s is neither on the Docker engine at %s nor in the cluster's registry%s", rec.Spec.Image.Ref, r.h.engine.Host(), inBrackets(why))
	switch {
	case rec.Healthy:
		// No job starts it. The operation that replaces it asks for the image.
		r.fail(ctx, missing.Error())
	case rec.Rebuilt:
		return r.failStart(ctx, rec, fmt.Errorf("%w, although a builder has provided it: it was removed once more (keep it, then: aorta ps restart -a %s)", missing, rec.Spec.App))
	case rec.Spec.Build == "":
		return r.failStart(ctx, rec, fmt.Errorf("its image is missing: %w (deploy the app again: git push, or aorta deploy -a %s)", missing, rec.Spec.App))
	default:
		r.h.shipper.AddSystemLine(r.target(rec), missing.Error()+"; a builder is asked for it")
		r.update(func(rec *record) { rec.ImageGone, rec.WhyGone = true, inBrackets(why) })
	}
	return inspectInterval
}

// inBrackets is what the registry says of an image that it does not have.
func inBrackets(err error) string {
	var said *cluster.Error
	if errors.As(err, &said) {
		return " (" + said.Message + ")"
	}
	return ""
}

// imageBuilt lets an instance go on that waits for its image.
func (r *runner) imageBuilt() {
	r.update(func(rec *record) { rec.ImageGone, rec.Rebuilt = false, true })
	r.nudge()
}

// askForImage adds to a start's tree what its instance waits for: that its image is
// provided, and then the starts of all that waits for it on this node. The starts of
// one operation ask for the same jobs, so that an image is provided once.
func (h *Heart) askForImage(run Run, op cluster.ID, rec record) error {
	s := rec.Spec
	run.Log(fmt.Sprintf("image %s is not on %s%s, and a builder is asked for it", s.Image.Ref, h.cfg.NodeName, rec.WhyGone))
	at := string(s.Build) + "/" + string(h.cfg.NodeID)
	subject := jobs.Subject{App: s.App, Release: s.Release, Node: h.cfg.NodeName}
	pacemaker := jobs.RoleQueue(string(cluster.RolePacemaker))
	return run.Graft(jobs.Spec{
		ID: string(cluster.DeriveID(op, "start/"+at, 0)), Kind: cluster.JobStart, Queue: pacemaker,
		Title: fmt.Sprintf("Start %s on %s from its image", s.Release, h.cfg.NodeName), Subject: subject, Priority: jobs.Normal,
		Args: encode(cluster.NodeArgs{Node: h.cfg.NodeID}),
		Children: []jobs.Spec{{
			ID: string(cluster.DeriveID(op, "provide/"+at, 0)), Kind: cluster.JobProvide, Queue: pacemaker,
			Title: fmt.Sprintf("Get the image of %s for %s", s.Release, h.cfg.NodeName), Subject: subject, Priority: jobs.Normal,
			Args: encode(cluster.ProvideArgs{Build: s.Build, Node: h.cfg.NodeID}),
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
