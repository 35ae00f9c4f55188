package build

import (
	"context"
	"fmt"

	"aorta/heart/images"
	"aorta/pacemaker/cluster"
)

// Images sends images to the cluster's registry, and gives them as they are there.
type Images interface {
	Push(ctx context.Context, want images.Wanted, tell, log func(text string)) (cluster.Image, error)
}

// shareTries is how often a push is begun that is refused: a pacemaker that was
// started anew does not know who has a build, until the builder takes it again.
const shareTries = 2

// share puts the image of a build where other nodes find it, if there are any.
func (b *Builder) share(ctx context.Context, run Run, spec cluster.BuildSpec, result cluster.BuildResult) (cluster.BuildResult, error) {
	if !spec.Push {
		return result, nil
	}
	run.Progress(0, 0, "pushing the image")
	want := images.Wanted{App: spec.AppID, Build: spec.ID, Image: result.Image}
	tell := func(text string) { run.Progress(0, 0, text) }
	pushed, err := b.Images.Push(ctx, want, tell, run.Log)
	for n := 1; n < shareTries && cluster.CodeOf(err) == cluster.CodeForbidden; n++ {
		if _, err := b.spec(ctx, spec.ID); err != nil {
			return result, err
		}
		pushed, err = b.Images.Push(ctx, want, tell, run.Log)
	}
	if err != nil {
		return result, err
	}
	result.Image, result.Replaces = pushed, result.Image.ID
	if err := b.Source.BuildDone(ctx, spec.ID, result); err != nil {
		return result, fmt.Errorf("record that the image of build %s is in the registry: %w", spec.ID.Short(), err)
	}
	run.Log(fmt.Sprintf("image %s is in the cluster's registry", result.Image.Ref))
	return result, nil
}
