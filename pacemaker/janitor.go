package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

const (
	tidyEvery  = 10 * time.Minute
	pruneEvery = 24 * time.Hour
	// keptJobs is how long ended operations and their trees stay readable.
	keptJobs = 30 * 24 * time.Hour
	// keptAnswers is how long a write may be repeated under its key.
	keptAnswers = 24 * time.Hour
)

// Periodic are the trees that come again by themselves. They have no operation
// in SQL: one that is lost is made up for by the next.
func (p *Pacemaker) Periodic() []jobs.Periodic {
	return []jobs.Periodic{
		p.periodic(cluster.JobTidy, "Throw away what has had its time", tidyEvery),
		p.periodic(cluster.JobPrune, "Begin the removal of old images", pruneEvery),
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

// periodicEnded tells of one that failed: nobody follows them.
func (p *Pacemaker) periodicEnded(t *jobs.Tree) {
	if t.State != jobs.Succeeded && t.Stop != nil {
		p.log.Error("a periodic job failed; the next one comes in its time", "kind", t.Jobs[t.ID].Kind, "err", failure(t))
	}
}

// tidy throws away what has had its time.
func (p *Pacemaker) tidy(ctx context.Context, _ *jobs.Run) (any, error) {
	now := p.cfg.Now()
	return nil, errors.Join(
		p.store.ForgetArchive(ctx, now.Add(-keptJobs).UnixNano()),
		p.store.ForgetKeys(ctx, now.Add(-keptAnswers).UnixNano()),
		p.store.ForgetSessions(ctx, now),
		p.publish.table.DropTombstones(ctx, now),
		p.tidySources(ctx),
	)
}

// prune begins the removal of old images everywhere: a deploy begins it too, but
// a node may have been away then.
func (p *Pacemaker) prune(ctx context.Context, _ *jobs.Run) (any, error) {
	return nil, p.pruneImages(ctx)
}

// pruneImages begins the removal of old images on every node with an engine
// that is not at it already.
func (p *Pacemaker) pruneImages(ctx context.Context) error {
	nodes, err := p.store.Nodes(ctx)
	if err != nil {
		return err
	}
	open, err := p.store.OpenOperations(ctx)
	if err != nil {
		return err
	}
	at := map[cluster.ID]bool{}
	for _, op := range open {
		at[op.NodeID] = at[op.NodeID] || op.Kind == cluster.OpPrune
	}
	for _, n := range nodes {
		if !n.Has(cluster.RoleHeart) || at[n.ID] || p.Unheard(n.ID) {
			continue
		}
		op := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpPrune, NodeID: n.ID, Title: fmt.Sprintf("Remove old images on %s", n.Name)}
		if err := p.store.Begin(ctx, op); err != nil {
			return err
		}
	}
	p.announce()
	return nil
}
