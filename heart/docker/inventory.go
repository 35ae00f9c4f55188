package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// pulledRepo names the marks on images that were pulled for this cluster's apps:
// a mark's tag is the build that needed the image. A mark is a name on the engine
// itself, so that every heart and builder that uses the engine sees it.
func (e *Engine) pulledRepo() string { return pulledPrefix + string(e.cluster) }

// pulledPrefix starts the marks of all clusters. No app's image has it: an app's
// name has no slash.
const pulledPrefix = BuiltPrefix + "pulled/"

// PullFor pulls an image that a build needs and marks it, so that it can be
// removed once nothing needs it.
func (e *Engine) PullFor(ctx context.Context, ref string, build cluster.ID, progress func(line string)) error {
	if err := e.Pull(ctx, ref, progress); err != nil {
		return err
	}
	return e.Mark(ctx, ref, build)
}

// Mark notes that an image was pulled for a build.
func (e *Engine) Mark(ctx context.Context, ref string, build cluster.ID) error {
	return e.Tag(ctx, ref, e.pulledRepo()+":"+string(build))
}

// Inventory lists this cluster's images: those that it built, by their labels and
// a name that fits them, and those that were pulled for it, by their mark. Labels
// alone say nothing: an image that somebody makes from one of ours has them too,
// and anybody can write them. Each says whether a container, running or not, of
// whatever cluster, was made from it.
func (e *Engine) Inventory(ctx context.Context) ([]cluster.EngineImage, error) {
	used, err := e.ImagesInUse(ctx)
	if err != nil {
		return nil, err
	}
	var list []cluster.EngineImage
	err = e.call(ctx, "list images", queryTimeout, func(ctx context.Context) error {
		// Filtered by a name, the engine's list would lack an image's other names.
		r, err := e.cli.ImageList(ctx, client.ImageListOptions{})
		for _, s := range r.Items {
			img := listed(s)
			switch mark := e.markedFor(img); {
			case s.Labels[cluster.LabelCluster] == string(e.cluster) && slices.ContainsFunc(img.Tags, isNameOf(img.Build)):
				list = append(list, img.entry(cluster.ImageBuilt, img.Build, used))
			case mark != "":
				list = append(list, img.entry(cluster.ImagePulled, mark, used))
			}
		}
		return err
	})
	return list, err
}

func listed(s image.Summary) Image {
	return Image{
		ID: s.ID, Tags: namesOf(s.RepoTags), Digests: s.RepoDigests, Size: s.Size, CreatedAt: time.Unix(s.Created, 0).UTC(),
		Build: cluster.ID(s.Labels[cluster.LabelBuild]), App: cluster.ID(s.Labels[cluster.LabelAppID]),
	}
}

func (i Image) entry(origin cluster.ImageOrigin, build cluster.ID, used map[string]bool) cluster.EngineImage {
	names := slices.DeleteFunc(slices.Clone(i.Tags), func(name string) bool { return strings.HasPrefix(name, pulledPrefix) })
	return cluster.EngineImage{
		ID: i.ID, Names: names, Size: i.Size, CreatedAt: i.CreatedAt, Origin: origin, App: i.App, Build: build, InUse: used[i.ID],
	}
}

// isNameOf tells the names that a build gives its image: of the app and the build.
func isNameOf(build cluster.ID) func(name string) bool {
	return func(name string) bool {
		rest, ours := strings.CutPrefix(name, BuiltPrefix)
		app, fits := strings.CutSuffix(rest, ":"+string(build))
		return ours && fits && build != "" && !strings.Contains(app, "/")
	}
}

// markedFor is the newest build that an image is marked for.
func (e *Engine) markedFor(i Image) cluster.ID {
	var newest cluster.ID
	for _, name := range i.Tags {
		if build, ok := strings.CutPrefix(name, e.pulledRepo()+":"); ok {
			newest = max(newest, cluster.ID(build))
		}
	}
	return newest
}

// Discard removes one of this cluster's images, and gives the bytes that its
// removal may free at most: ErrInUse when a container, running or not, was made
// from it. An image that somebody else gave a name, or another cluster a mark,
// loses this cluster's names or marks alone; ours are the names that a pulled one
// was pulled by.
func (e *Engine) Discard(ctx context.Context, img cluster.EngineImage, ours []string) (freed int64, err error) {
	now, err := e.Image(ctx, img.ID)
	if err != nil {
		return 0, err
	}
	own := isNameOf(img.Build)
	if img.Origin == cluster.ImagePulled {
		own = func(name string) bool { return strings.HasPrefix(name, e.pulledRepo()+":") }
	}
	names := slices.DeleteFunc(slices.Clone(now.Tags), func(name string) bool { return !own(name) })
	for _, name := range now.Tags {
		if !own(name) && !slices.Contains(ours, name) {
			return 0, e.removeNames(ctx, names)
		}
	}
	if err := e.removeNames(ctx, now.Tags); err != nil {
		return 0, err
	}
	// The last name takes an image with it, unless it has a digest too.
	if err := e.removeNames(ctx, []string{img.ID}); err != nil && !errors.Is(err, ErrNoImage) {
		return 0, err
	}
	return now.Size, nil
}

// removeNames removes images by name or id.
func (e *Engine) removeNames(ctx context.Context, names []string) error {
	for _, h := range names {
		err := e.call(ctx, "remove an image", workTimeout, func(ctx context.Context) error {
			_, err := e.cli.ImageRemove(ctx, h, client.ImageRemoveOptions{PruneChildren: true})
			return err
		})
		if err != nil {
			return fmt.Errorf("remove image %s: %w", h, err)
		}
	}
	return nil
}
