package pacemaker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// A machine that is lost in the middle of an operation does not end it. A job that waits
// for its node is superseded by one that places the instance anew, in the same tree. The
// tree alone says what was superseded, so nothing is left half done: what is placed
// instead is written down by that job, which is tried again like any other.

// supersedeStranded has the jobs of open operations that wait for a dead node superseded.
func (p *Pacemaker) supersedeStranded(ctx context.Context, open []cluster.Operation) error {
	open = slices.DeleteFunc(slices.Clone(open), func(op cluster.Operation) bool { return !slices.Contains(starting, op.Kind) || op.AbortReason != "" })
	if len(open) == 0 {
		return nil
	}
	away, err := p.away(ctx)
	if err != nil || len(away.lost) == 0 {
		return err
	}
	var errs []error
	for _, op := range open {
		if err := p.supersedeOf(ctx, op, away); err != nil && cluster.CodeOf(err) != cluster.CodeConflict { // it has just ended by itself
			errs = append(errs, fmt.Errorf("start elsewhere what %q was to start on a dead node: %w", op.Title, err))
		}
	}
	return errors.Join(errs...)
}

func (p *Pacemaker) supersedeOf(ctx context.Context, op cluster.Operation, away away) error {
	tree, err := p.jobs.Tree(ctx, string(op.ID))
	if errors.Is(err, jobs.ErrNotFound) || err == nil && (tree.Stop != nil || tree.State.Ended()) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, j := range fromTheRoot(tree) {
		node, lost := away.lostQueue(j.Queue)
		if !lost {
			continue
		}
		by, err := p.insteadOf(ctx, op, j, node)
		if err != nil {
			return err
		}
		if by == nil || tree.Jobs[by.ID] != nil && j.State.Ended() {
			continue
		}
		if err := p.supersede(ctx, tree, j, *by, "node "+node.Name+" is dead"); err != nil {
			return err
		}
	}
	return nil
}

// supersede does so in a tree as it was read too, which shows what has ended with the job.
// What is over meanwhile needs nothing.
func (p *Pacemaker) supersede(ctx context.Context, tree *jobs.Tree, j *jobs.Job, by jobs.Spec, reason string) error {
	err := p.jobs.Supersede(ctx, j.ID, []jobs.Spec{by}, reason)
	if errors.Is(err, jobs.ErrOver) || errors.Is(err, jobs.ErrNotFound) {
		return nil
	}
	return errors.Join(err, tree.Supersede(j.ID, []jobs.Spec{by}, reason, p.cfg.Now()))
}

// fromTheRoot are the jobs of a tree, each before those below it: what is superseded takes
// with it what is below, which must not be what was just put there.
func fromTheRoot(t *jobs.Tree) []*jobs.Job {
	list := []*jobs.Job{t.Jobs[t.ID]}
	for i := 0; i < len(list); i++ {
		list = append(list, t.Children(list[i].ID)...)
	}
	return list
}

// lostQueue is the lost node whose queue it is.
func (a away) lostQueue(q jobs.Queue) (cluster.Node, bool) {
	for _, n := range a.nodes {
		if a.lost[n.ID] && jobs.NodeQueue(string(n.ID)) == q {
			return n, true
		}
	}
	return cluster.Node{}, false
}

// insteadOf is the job that takes the place of one on a dead node; none where that one
// has ended and nothing depends on it. What nothing can take the place of ends the
// operation, which would wait for the node.
func (p *Pacemaker) insteadOf(ctx context.Context, op cluster.Operation, j *jobs.Job, node cluster.Node) (*jobs.Spec, error) {
	switch {
	case j.Kind == cluster.JobInstanceStart:
		return p.startInstead(ctx, op, j, node)
	case j.Kind == cluster.JobBuild && !j.State.Ended(): // it was to push an image that it has
		return &jobs.Spec{
			ID: string(cluster.DeriveID(cluster.ID(j.ID), "anew", 0)), Kind: j.Kind, Queue: builderQueue, Subject: j.Subject, Args: j.Args, Priority: j.Priority,
			Title: fmt.Sprintf("Build %s again: node %s had its image, and is dead", j.Subject.Release, node.Name),
		}, nil
	case !j.State.Ended():
		return nil, p.abort(ctx, op, "node "+node.Name+" is dead")
	}
	return nil, nil
}

// startInstead places an instance anew. One that runs already is placed anew while what
// its operation brings does not serve: what is in its way would be stopped for it.
func (p *Pacemaker) startInstead(ctx context.Context, op cluster.Operation, j *jobs.Job, node cluster.Node) (*jobs.Spec, error) {
	if j.State.Ended() && (op.Promoted || op.Kind == cluster.OpReplace) {
		return nil, nil
	}
	var args cluster.InstanceArgs
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return nil, fmt.Errorf("read the arguments of job %s: %w", j.ID, err)
	}
	in, err := p.store.Instance(ctx, args.Instance)
	if err != nil {
		return nil, err
	}
	if !in.State.Wanted() {
		if j.State.Ended() {
			return nil, nil
		}
		return nil, p.abort(ctx, op, fmt.Sprintf("node %s is dead, and %s had ended there: %s", node.Name, in.Name(), cmp.Or(in.Error, string(in.State))))
	}
	w, err := p.work(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	if err := p.setTarget(ctx, &w); err != nil {
		return nil, err
	}
	if kind := (cluster.ProcessType{Exclusive: w.target.Exclusive[in.Type]}); kind.MayRunOn(node, in) && !w.op.Promoted {
		return nil, p.abort(ctx, op, cluster.MayStillRun(in, w.app.Name, node.Name))
	}
	b := treeBuilder{op: op, subject: jobs.Subject{App: w.app.Name, Release: w.release.Label()}}
	spec := b.job(cluster.JobPlaceAnew, pacemakerQueue, fmt.Sprintf("Place %s anew: node %s is dead", in.Name(), node.Name), cluster.InstanceArgs{Operation: op.ID, Instance: in.ID})
	spec.ID = string(cluster.DeriveID(in.ID, "anew", 0))
	return &spec, nil
}

// placeAnew chooses another node for an instance whose node died, writes that down and
// grafts its start.
func (p *Pacemaker) placeAnew(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.InstanceArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	w, err := p.workOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.setTarget(ctx, &w); err != nil {
		return nil, err
	}
	was, err := p.store.Instance(ctx, args.Instance)
	if err != nil {
		return nil, permanentIfRefused(err)
	}
	id := cluster.DeriveID(was.ID, "instead", 0)
	if done, err := p.assignInstead(ctx, w, id, was); err != nil || !done {
		return nil, err
	}
	in, err := p.store.Instance(ctx, id)
	if err != nil {
		return nil, err
	}
	specs, err := p.starts(ctx, r.Subject(), w, []cluster.Instance{in}, false)
	if err != nil {
		return nil, err
	}
	r.Log(fmt.Sprintf("placed %s on %s instead of %s", in.Name(), specs[0].Subject.Node, was.Name()))
	return nil, r.Graft(specs...)
}

// assignInstead is done at once if it was before.
func (p *Pacemaker) assignInstead(ctx context.Context, w work, id cluster.ID, was cluster.Instance) (bool, error) {
	_, err := p.store.Instance(ctx, id)
	if cluster.CodeOf(err) != cluster.CodeNotFound {
		return err == nil, err
	}
	room, err := p.room(ctx, was)
	if err != nil {
		return false, err
	}
	chosen, err := room.choose(w.app.ID, w.release, was.Type, w.asked, 1)
	if err != nil {
		return false, fmt.Errorf("place %s anew: %w", was.Name(), err)
	}
	done, err := p.store.AssignInstead(ctx, w.assignment(id, was.Type, chosen[0]), was.ID)
	return done, permanentIfRefused(err)
}
