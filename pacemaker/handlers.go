package pacemaker

import (
	"context"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Handlers are the kinds of job that a pacemaker works on. Each may run again
// after a crash and then finds what it has done already, and none runs where it does
// not belong (guarded).
func (p *Pacemaker) Handlers() map[string]jobs.Handler {
	handlers := map[string]jobs.Handler{
		cluster.JobTurn:    p.awaitTurn,
		cluster.JobRelease: p.makeRelease,
		cluster.JobPlace:   p.placeInstances,
		cluster.JobSwap:    p.swapExclusive,
		cluster.JobStart:   p.startWaiting,
		cluster.JobProvide: p.provideImage,
		cluster.JobPublish: p.publishRoutes,
		cluster.JobDeploy:  p.finishRollout,
		cluster.JobDestroy: p.finishDestroy,
		cluster.JobDrain:   p.drain,

		cluster.JobPlaceAnew: p.placeAnew,
		cluster.JobEmptyNode: p.emptyNode,
		cluster.JobTidy:      p.tidy,
		cluster.JobPrune:     p.prune,

		cluster.JobRegistryPrune: p.pruneRegistry,
		cluster.JobPack:          p.packRepositories,
		cluster.JobFinish:        func(context.Context, *jobs.Run) (any, error) { return nil, nil },
	}
	for kind, handle := range handlers {
		handlers[kind] = p.guarded(kind, handle)
	}
	return handlers
}

func (p *Pacemaker) workOf(ctx context.Context, r *jobs.Run) (work, error) {
	var args cluster.OperationArgs
	if err := r.Args(&args); err != nil {
		return work{}, err
	}
	return p.work(ctx, args.Operation)
}

// permanentIfRefused makes an error permanent that no retry can mend.
func permanentIfRefused(err error) error {
	switch cluster.CodeOf(err) {
	case cluster.CodeInvalid, cluster.CodeConflict, cluster.CodeForbidden, cluster.CodeNotFound:
		return jobs.Permanent(err)
	}
	return err
}
