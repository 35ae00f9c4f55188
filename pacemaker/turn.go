package pacemaker

import (
	"context"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// awaitTurn takes the operation's turn and waits until those in front of it have ended:
// what comes after it then waits in its turn, and the release is made of what they left.
func (p *Pacemaker) awaitTurn(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.OperationArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	op, err := p.store.TakeTurn(ctx, args.Operation)
	if err != nil {
		return nil, permanentIfRefused(err)
	}
	p.announce(op.AppID)
	said := cluster.ID("")
	return nil, p.changed.Until(ctx, func() (bool, error) {
		open, err := p.store.OpenOperationsOf(ctx, op.AppID)
		if err != nil {
			return false, err
		}
		first := cluster.Ahead(open, op)
		if first != nil && first.ID != said {
			said = first.ID
			r.Progress(0, 0, "for job "+said.Short()+" to end: "+first.Title)
		}
		return first == nil, nil
	})
}
