package build

import (
	"context"
	"errors"
	"fmt"

	"aorta/heart/docker"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// again answers for a build that was ready before: its image is on the engine,
// or it is made once more of what it was made of. What fails here leaves the
// build as it is: its image may be on another engine.
func (b *Builder) again(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	if result, there, err := b.onEngine(ctx, run, spec); there || err != nil {
		return result, err
	}
	leave, err := b.turn(ctx, run, spec)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	defer leave()
	// Several operations may miss the same image; the first one makes it.
	spec, err = b.spec(ctx, spec.ID)
	if err != nil {
		return cluster.BuildResult{}, err
	}
	if result, there, err := b.onEngine(ctx, run, spec); there || err != nil {
		return result, err
	}
	return b.remake(ctx, run, spec)
}

// onEngine is the result of a build whose image is there.
func (b *Builder) onEngine(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, bool, error) {
	there, err := b.Engine.Has(ctx, spec.Image)
	if err != nil || !there {
		return cluster.BuildResult{}, false, err
	}
	run.Log(fmt.Sprintf("image %s is on the engine", spec.Image.Ref))
	result, err := b.share(ctx, run, spec, cluster.BuildResult{State: cluster.BuildReady, Image: spec.Image})
	return result, true, err
}

func (b *Builder) remake(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	run.Log(fmt.Sprintf("image %s is gone from the engine at %s", spec.Image.Ref, b.Engine.Host()))
	result, err := b.remade(ctx, run, spec)
	switch {
	case ctx.Err() != nil:
		return result, fmt.Errorf("build %s: %w", spec.App, context.Cause(ctx))
	case cluster.CodeOf(err) == cluster.CodeUnavailable && err != nil:
		return result, err // the engine or the pacemaker is away: another attempt may succeed
	case err != nil:
		return result, jobs.Permanent(fmt.Errorf("image %s of %s can't be made again: %w", spec.Image.Ref, spec.App, err))
	}
	result.Replaces = spec.Image.ID
	if err := b.Source.BuildDone(ctx, spec.ID, result); err != nil {
		return result, fmt.Errorf("record build %s: %w", spec.ID.Short(), err)
	}
	run.Log(fmt.Sprintf("image %s is ready again", result.Image.Ref))
	return b.share(ctx, run, spec, result)
}

// remade builds the image of its source. One that came from a registry is pulled
// by its digest: its tag may name another image by now.
func (b *Builder) remade(ctx context.Context, run Run, spec cluster.BuildSpec) (cluster.BuildResult, error) {
	if spec.Kind != cluster.SourceImage {
		return b.inTime(ctx, run, spec)
	}
	image, err := b.Engine.Provide(ctx, spec.Image, spec.ID, run.Log)
	if errors.Is(err, docker.ErrNoImage) {
		err = fmt.Errorf("%w (deploy one that is there: aorta deploy -a %s --image REF)", err, spec.App)
	}
	return cluster.BuildResult{State: cluster.BuildReady, Image: image}, err
}
