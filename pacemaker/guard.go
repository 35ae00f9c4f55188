package pacemaker

import (
	"context"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// anchor is where a kind of job belongs: in which trees, and about what.
type anchor struct {
	of    []cluster.OperationKind // whose trees have it; none: the trees that come again by themselves
	root  bool                    // it is the root of its tree
	named bool                    // its arguments name its operation
}

var (
	rollouts = []cluster.OperationKind{cluster.OpDeploy, cluster.OpRelease, cluster.OpScale, cluster.OpRestart, cluster.OpStop}
	starting = append(slices.Clone(rollouts), cluster.OpReplace)
)

// anchors are those of all kinds that a pacemaker works on.
var anchors = map[string]anchor{
	cluster.JobTurn:          {of: []cluster.OperationKind{cluster.OpDeploy}, named: true},
	cluster.JobRelease:       {of: []cluster.OperationKind{cluster.OpDeploy, cluster.OpRelease}, named: true},
	cluster.JobPlace:         {of: starting, named: true},
	cluster.JobPlaceAnew:     {of: starting, named: true},
	cluster.JobSwap:          {of: starting, named: true},
	cluster.JobStart:         {of: starting},
	cluster.JobProvide:       {of: starting},
	cluster.JobPublish:       {of: append(slices.Clone(rollouts), cluster.OpDestroy), named: true},
	cluster.JobDeploy:        {of: rollouts, root: true, named: true},
	cluster.JobDestroy:       {of: []cluster.OperationKind{cluster.OpDestroy}, root: true, named: true},
	cluster.JobDrain:         {of: []cluster.OperationKind{cluster.OpRetire}, named: true},
	cluster.JobEmptyNode:     {of: []cluster.OperationKind{cluster.OpDrain}},
	cluster.JobRegistryPrune: {of: []cluster.OperationKind{cluster.OpPrune}},
	cluster.JobFinish:        {of: []cluster.OperationKind{cluster.OpReplace, cluster.OpRebuild, cluster.OpRetire, cluster.OpPrune, cluster.OpDrain}, root: true, named: true},
	cluster.JobTidy:          {root: true},
	cluster.JobPrune:         {root: true},
	cluster.JobPack:          {root: true},
}

// about is what the arguments of a job may name.
type about struct {
	Operation cluster.ID `json:"operation"`
	Instance  cluster.ID `json:"instance"`
	Build     cluster.ID `json:"build"`
	App       cluster.ID `json:"app"`
}

// guarded lets a job run only where it belongs: in the tree of an operation that is
// open and of its kind, and about that operation and its app. A job's arguments lie in
// a Redis that nodes write to, and what a job does may not be undone.
func (p *Pacemaker) guarded(kind string, handle jobs.Handler) jobs.Handler {
	return func(ctx context.Context, r *jobs.Run) (any, error) {
		if err := p.belongs(ctx, anchors[kind], kind, r); err != nil {
			return nil, permanentIfRefused(err)
		}
		return handle(ctx, r)
	}
}

func (p *Pacemaker) belongs(ctx context.Context, at anchor, kind string, r *jobs.Run) error {
	if at.root && r.ID() != r.TreeID() {
		return cluster.Forbidden("a job %s is the root of its tree and nothing below it", kind)
	}
	if len(at.of) == 0 {
		return nil
	}
	op, err := p.store.Operation(ctx, cluster.ID(r.TreeID()))
	if err != nil {
		return err
	}
	if op.State != cluster.OperationOpen {
		return op.StillOpen()
	}
	if !slices.Contains(at.of, op.Kind) {
		return cluster.Forbidden("a job %s is no part of %q, which is of kind %s", kind, op.Title, op.Kind)
	}
	var args about
	if err := r.Args(&args); err != nil {
		return err
	}
	if args.Operation != op.ID && (at.named || args.Operation != "") {
		return cluster.Forbidden("a job %s of %q is about another operation", kind, op.Title)
	}
	return p.ofApp(ctx, op, args)
}

// ofApp refuses arguments that name what is another app's.
func (p *Pacemaker) ofApp(ctx context.Context, op cluster.Operation, args about) error {
	apps := []cluster.ID{op.AppID}
	if args.App != "" {
		apps = append(apps, args.App)
	}
	if args.Build != "" {
		build, err := p.store.Build(ctx, args.Build)
		if err != nil {
			return err
		}
		apps = append(apps, build.AppID)
	}
	if args.Instance != "" {
		in, err := p.store.Instance(ctx, args.Instance)
		if err != nil {
			return err
		}
		apps = append(apps, in.AppID)
	}
	if len(slices.Compact(apps)) > 1 {
		return cluster.Forbidden("a job of %q is about another app", op.Title)
	}
	return nil
}
