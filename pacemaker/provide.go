package pacemaker

import (
	"context"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// provideImage gets the image of a build into the cluster's registry, or back onto
// the engine of who misses it: a builder that has the image pushes it, and if none
// has, a builder makes it again. The heart of the node that misses it has asked.
func (p *Pacemaker) provideImage(ctx context.Context, r *jobs.Run) (any, error) {
	var args cluster.ProvideArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	build, err := p.store.Build(ctx, args.Build)
	if err != nil {
		return nil, permanentIfRefused(err)
	}
	if build.Image.Pushed != "" { // and a heart has not got it
		if err := p.Images.VerifyRegistry(ctx, build.AppID); err != nil {
			return nil, err
		}
	}
	subject := r.Subject()
	spec := jobs.Spec{
		Kind: cluster.JobBuild, Queue: builderQueue, Subject: subject, Priority: jobs.Normal,
		Title: fmt.Sprintf("Build %s again: its image is gone from %s", subject.Release, subject.Node),
	}
	holder, err := p.holderOf(ctx, build.Image, args.Node)
	if err != nil {
		return nil, err
	}
	if holder.ID != "" {
		spec.Queue = jobs.NodeQueue(string(holder.ID))
		spec.Title = fmt.Sprintf("Push the image of %s from %s for %s", subject.Release, holder.Name, subject.Node)
	}
	op := cluster.ID(r.TreeID())
	spec.ID = string(cluster.DeriveID(op, "rebuild/"+string(args.Build)+"/"+string(args.Node), 0))
	spec.Args = encoded(cluster.BuildArgs{Operation: op, Build: args.Build})
	return nil, r.Graft(spec)
}

// holderOf is a builder whose engine has an image, other than the node that misses
// it; none has it when it is without an id.
func (p *Pacemaker) holderOf(ctx context.Context, image cluster.Image, misses cluster.ID) (cluster.Node, error) {
	for _, id := range p.Images.Holders(image) {
		node, err := p.store.Node(ctx, id)
		if cluster.CodeOf(err) == cluster.CodeNotFound && err != nil || node.RemovedAt != nil {
			continue // what it reported is still known
		}
		if err != nil {
			return cluster.Node{}, err
		}
		if id != misses && node.Has(cluster.RoleBuilder) && !p.Nodes.Unheard(node) {
			return node, nil
		}
	}
	return cluster.Node{}, nil
}
