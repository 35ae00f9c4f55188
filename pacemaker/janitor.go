package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/pacemaker/cluster"
)

const (
	janitorEvery = 10 * time.Minute
	// keptJobs is how long ended operations and their trees stay readable.
	keptJobs = 30 * 24 * time.Hour
	// keptAnswers is how long a write may be repeated under its key.
	keptAnswers = 24 * time.Hour
)

// janitorLoop throws away what has had its time. Nothing of it is urgent, so a
// failure is told and tried again with the next round.
func (p *Pacemaker) janitorLoop(ctx context.Context) error {
	tick := time.NewTicker(janitorEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := p.cfg.Now()
		err := errors.Join(
			p.store.ForgetArchive(ctx, now.Add(-keptJobs).UnixNano()),
			p.store.ForgetKeys(ctx, now.Add(-keptAnswers).UnixNano()),
			p.publish.table.DropTombstones(ctx, now),
			p.pruneImages(ctx),
		)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("cleaning up failed", "err", err)
		}
	}
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
