package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/place"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// moveDisplaced begins to replace the instances that are published at another address
// than their node has now: a container keeps the one that it was made with, and routers
// on other hosts may not reach it there. It serves until another one does.
func (p *Pacemaker) moveDisplaced(ctx context.Context, list []store.Standing, nodes []cluster.Node) error {
	at := map[cluster.ID]string{}
	for _, n := range nodes {
		at[n.ID] = n.Address
	}
	for _, s := range list {
		if moves := displaced(s.Instances, at); len(moves) > 0 {
			if err := p.beginMove(ctx, s, moves); err != nil {
				return fmt.Errorf("move instances of %s: %w", s.App.Name, err)
			}
		}
	}
	return nil
}

// displaced are the wanted instances whose node has another address, by its id, than
// they are published at.
func displaced(list []cluster.Instance, at map[cluster.ID]string) (moves []cluster.Instance) {
	for _, in := range list {
		if now := at[in.NodeID]; in.State.Wanted() && now != "" && in.PublishedAt(now) != now {
			moves = append(moves, in)
		}
	}
	return moves
}

// beginMove does so where there is room for it, and not right after it has failed.
func (p *Pacemaker) beginMove(ctx context.Context, s store.Standing, moves []cluster.Instance) error {
	until, err := p.moveAgain(ctx, s.App)
	if err != nil || p.cfg.Now().Before(until) {
		return err
	}
	room, err := p.room(ctx)
	if err != nil {
		return err
	}
	args := cluster.Request{}
	for _, in := range moves {
		_, err := room.choose(s.App.ID, s.Release, in.Type, s.Asked, 1)
		if errors.As(err, new(*place.NoRoom)) {
			p.cfg.Log.Warn("instances can't move to their node's new address yet", "app", s.App.Name, "err", err)
			return nil
		}
		args.Replace = append(args.Replace, in.ID)
	}
	return p.beginUnasked(ctx, cluster.Operation{
		Kind: cluster.OpRestart, AppID: s.App.ID, Args: args.Encode(),
		Title: fmt.Sprintf("Move %s of %s to their node's new address", counted(len(moves), "instance"), s.App.Name),
	})
}

// moveAgain is until when an app's next move waits, after those that have failed since
// anything else was done to it.
func (p *Pacemaker) moveAgain(ctx context.Context, app cluster.App) (until time.Time, err error) {
	ops, err := p.store.Operations(ctx, store.OperationQuery{App: app.ID, Since: p.cfg.Now().Add(-failedTries), Limit: -1})
	failed := 0
	for _, op := range ops { // newest first
		if op.Kind != cluster.OpRestart || op.User != "" || op.EndedAt == nil || op.State == cluster.OperationSucceeded {
			if op.Changing() {
				break
			}
			continue
		}
		if failed++; failed == 1 {
			until = *op.EndedAt
		}
	}
	if failed > 0 {
		until = until.Add(plan.Pause(failed))
	}
	return until, err
}
