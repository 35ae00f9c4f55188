package redisq

import (
	"context"
	"errors"
	"fmt"

	"aorta/jobs"
)

// request is a change that a caller asks the loop for.
type request struct {
	ctx   context.Context // of the caller; one that has left is not served
	apply func(p *pass) error
	done  chan error
}

// maxGather is how many requests are written at once.
const maxGather = 64

// ask passes a request to the loop and waits for the answer.
func (k *Keeper) ask(ctx context.Context, apply func(p *pass) error) error {
	r := &request{ctx: ctx, apply: apply, done: make(chan error, 1)}
	select {
	case k.requests <- r:
	case <-k.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-k.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gather takes what else is waiting.
func (l *loop) gather(first *request) []*request {
	out := []*request{first}
	for len(out) < maxGather {
		select {
		case r := <-l.requests:
			out = append(out, r)
		default:
			return out
		}
	}
	return out
}

// serve applies requests in one pass. If Redis fails they are kept for after the
// resync, once; every request is idempotent.
func (l *loop) serve(ctx context.Context, requests []*request, last bool) error {
	p := l.newPass()
	var open []*request
	for _, r := range requests {
		err := r.ctx.Err()
		if err == nil {
			err = r.apply(p)
		}
		if err != nil {
			r.done <- err
			continue
		}
		open = append(open, r)
	}
	err := l.finish(ctx, p)
	if err != nil && !last && !errors.Is(err, ErrFenced) {
		l.retry = open
		return err
	}
	for _, r := range open {
		r.done <- err
	}
	return err
}

// Add writes a tree and queues its ready jobs. The id is the root spec's: a tree
// that is open already is left as it is, so that a caller who heard no answer
// may repeat itself. A tree that has ended and was handed over is forgotten:
// adding it again runs it again. The error wraps jobs.ErrInvalid, ErrFenced,
// ErrStopped or Redis' own.
func (k *Keeper) Add(ctx context.Context, root jobs.Spec, operation string) error {
	if err := root.Validate(); err != nil {
		return err
	}
	return k.ask(ctx, func(p *pass) error {
		return p.add(root, operation)
	})
}

// Supersede has other jobs take the place of the one with this id, see jobs.Tree: what
// its worker says later changes nothing. Both are in the tree at once or not at all;
// repeating it changes nothing. The error wraps jobs.ErrNotFound, jobs.ErrInvalid, or
// jobs.ErrOver when the tree is stopping or has ended.
func (k *Keeper) Supersede(ctx context.Context, id string, by []jobs.Spec, reason string) error {
	return k.change(ctx, id, func(p *pass, t *tree) error {
		return t.Supersede(id, by, clip(reason, maxText), p.now)
	})
}

// Abort stops the tree with this id, or the tree of the job with this id: what
// has not begun ends, running handlers' contexts end with the reason, then
// clean-up runs. It returns when the request is durable, not when all has ended.
// Repeating it changes nothing. The error wraps jobs.ErrNotFound, or
// jobs.ErrOver when the tree has ended.
func (k *Keeper) Abort(ctx context.Context, id, reason string) error {
	return k.change(ctx, id, func(p *pass, t *tree) error {
		return t.Abort(clip(reason, maxText), p.now)
	})
}

// change applies a rule to the tree of the job with this id.
func (k *Keeper) change(ctx context.Context, id string, rule func(*pass, *tree) error) error {
	return k.ask(ctx, func(p *pass) error {
		at, ok := p.locations.find(id)
		t := p.trees[at.tree]
		if !ok || t == nil {
			return fmt.Errorf("find job %s: %w", id, jobs.ErrNotFound)
		}
		if err := rule(p, t); err != nil {
			return err
		}
		p.touched[t.ID] = t
		return nil
	})
}
