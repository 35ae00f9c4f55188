package pacemaker

import (
	"context"
	"errors"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

const (
	tidyEvery  = 10 * time.Minute
	pruneEvery = 24 * time.Hour
	// packEvery is longer than a run may take, so that there is one at a time.
	packEvery = 10 * time.Minute
	// keptJobs is how long ended operations and their trees stay readable.
	keptJobs = 30 * 24 * time.Hour
	// keptAnswers is how long a write may be repeated under its key.
	keptAnswers = 24 * time.Hour
	// keptGone is how long the row of an instance outlives its container: late
	// lines of its log still find their app by it.
	keptGone = 24 * time.Hour
)

// Periodic are the trees that come again by themselves. They have no operation
// in SQL: one that is lost is made up for by the next.
func (p *Pacemaker) Periodic() []jobs.Periodic {
	return []jobs.Periodic{
		p.periodic(cluster.JobTidy, "Delete what has expired", tidyEvery),
		p.periodic(cluster.JobPrune, "Look for old images", pruneEvery),
		p.periodic(cluster.JobPack, "Pack the git repositories", packEvery),
	}
}

func (p *Pacemaker) periodic(kind, title string, every time.Duration) jobs.Periodic {
	return jobs.Periodic{Name: kind, Every: every, Make: func(slot time.Time) jobs.Spec {
		return jobs.Spec{
			ID:   string(cluster.DeriveID(p.cluster, kind+slot.Format(time.RFC3339), 0)),
			Kind: kind, Queue: pacemakerQueue, Title: title, Priority: jobs.Low,
		}
	}}
}

// periodicEnded logs one that failed, since no user follows them.
func (p *Pacemaker) periodicEnded(t *jobs.Tree) {
	if t.State != jobs.Succeeded && t.Stop != nil {
		p.log.Error("a periodic job failed; the next one comes in its time", "kind", t.Jobs[t.ID].Kind, "err", failure(t))
	}
}

// tidy deletes what has expired.
func (p *Pacemaker) tidy(ctx context.Context, _ *jobs.Run) (any, error) {
	now := p.cfg.Now()
	_, gone := p.store.DeleteGoneInstances(ctx, now.Add(-keptGone))
	_, unused := p.store.DeleteUnusedBuilds(ctx, now.Add(-2*keptJobs)) // a job that ran long may be asked for again
	return nil, errors.Join(gone, unused, p.store.DrainOrphans(ctx),
		p.store.DeleteArchive(ctx, now.Add(-keptJobs).UnixNano()),
		p.store.DeleteIdempotencyKeys(ctx, now.Add(-keptAnswers).UnixNano()),
		p.store.DeleteEndedSessions(ctx, now),
		p.store.DeleteFormerMembers(ctx, now.Add(-keptJobs)),
		p.table.DropTombstones(ctx, now),
		p.Sources.Tidy(ctx), p.forgetStrangers(ctx),
	)
}

// forgetStrangers removes what is kept of apps that are gone: it may have come while
// they went. An app is in the database before anything is kept of it, so the apps
// are read after what is kept.
func (p *Pacemaker) forgetStrangers(ctx context.Context) error {
	var errs []error
	kept := make([][]cluster.ID, len(p.forget))
	for i, data := range p.forget {
		var err error
		kept[i], err = data.Kept()
		errs = append(errs, err)
	}
	apps, err := p.store.Apps(ctx, "", -1)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	there := map[cluster.ID]bool{}
	for _, app := range apps {
		there[app.ID] = true
	}
	for i, data := range p.forget {
		for _, app := range kept[i] {
			if !there[app] {
				errs = append(errs, data.Forget(ctx, app))
			}
		}
	}
	return errors.Join(errs...)
}

// packRepositories keeps the git repositories small and quick to push to.
func (p *Pacemaker) packRepositories(ctx context.Context, _ *jobs.Run) (any, error) {
	return nil, p.Sources.Pack(ctx)
}

// prune has what may be removed looked at anew, also what a removal has failed on, and
// removes what the registry need not have.
func (p *Pacemaker) prune(ctx context.Context, r *jobs.Run) (any, error) {
	p.collect.again()
	p.announce()
	return nil, p.Images.SweepRegistry(ctx, "", r.Log)
}

// pruneRegistry is that for who does not want to wait, of an app or of all.
func (p *Pacemaker) pruneRegistry(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.PruneArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	return nil, p.Images.SweepRegistry(ctx, args.App, r.Log)
}
