package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Image is an image on this engine.
type Image struct {
	ID        string            // "sha256:…"
	Tags      []string          // "name:tag"
	Digests   []string          // "name@sha256:…", of those that came from a registry
	Size      int64             // bytes
	Arch      string            // such as amd64; not in a list of images
	CreatedAt time.Time         // in a list of images alone
	Build     cluster.ID        // the build that made it, from its label; empty if it was not built here; in a list alone
	App       cluster.ID        // whose build that was, likewise
	Labels    map[string]string // not in a list of images
	ImageRun                    // likewise
}

// Image returns an image by id or reference: ErrNoImage when it is not here.
func (e *Engine) Image(ctx context.Context, ref string) (Image, error) {
	var img Image
	err := e.call(ctx, "inspect an image", queryTimeout, func(ctx context.Context) error {
		r, err := e.cli.ImageInspect(ctx, ref)
		img = Image{ID: r.ID, Tags: r.RepoTags, Digests: r.RepoDigests, Size: r.Size, Arch: r.Architecture, ImageRun: runOf(r.InspectResponse)}
		if r.Config != nil {
			img.Labels = r.Config.Labels
		}
		return err
	})
	return img, err
}

// Digest is the digest of the manifest that the image was pulled by under the
// name, or "".
func (i Image) Digest(ref string) string { return cluster.DigestIn(i.Digests, ref) }

// namesOf drops the placeholder that older engines list untagged images with.
func namesOf(tags []string) []string {
	var names []string
	for _, t := range tags {
		if t != "<none>:<none>" {
			names = append(names, t)
		}
	}
	return names
}

// Pull fetches an image from its registry and calls progress with each step.
func (e *Engine) Pull(ctx context.Context, ref string, progress func(line string)) error {
	return e.call(ctx, "pull "+ref, pullTimeout, func(ctx context.Context) error {
		r, err := e.cli.ImagePull(ctx, ref, client.ImagePullOptions{})
		if err != nil {
			return err
		}
		last := map[string]string{}
		for m, err := range r.JSONMessages(ctx) {
			switch {
			case err != nil:
				return err
			case m.Error != nil:
				return m.Error
			case m.Status == "" || last[m.ID] == m.Status:
				continue // the same step, a few bytes further
			}
			last[m.ID] = m.Status
			progress(strings.TrimPrefix(m.ID+": "+m.Status, ": "))
		}
		return nil
	})
}

// Tag adds a name to an image.
func (e *Engine) Tag(ctx context.Context, id, name string) error {
	return e.call(ctx, "tag an image", queryTimeout, func(ctx context.Context) error {
		_, err := e.cli.ImageTag(ctx, client.ImageTagOptions{Source: id, Target: name})
		return err
	})
}

// ImagesInUse returns the ids of the images of all containers on this engine,
// other clusters' included.
func (e *Engine) ImagesInUse(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := e.call(ctx, "list containers", queryTimeout, func(ctx context.Context) error {
		r, err := e.cli.ContainerList(ctx, client.ContainerListOptions{All: true})
		for _, c := range r.Items {
			used[c.ImageID] = true
		}
		return err
	})
	return used, err
}

// Provide pulls a release's image, which a build found, and gives it as it is here.
// Without a digest its id is checked, because the name may have been moved to another
// image since the release was made.
func (e *Engine) Provide(ctx context.Context, want cluster.Image, build cluster.ID, progress func(line string)) (cluster.Image, error) {
	if BuiltHere(want) {
		return want, &cluster.Error{
			Code: cluster.CodeNotFound, Err: ErrNoImage,
			Message: fmt.Sprintf("image %s is not on this node, and no registry carries it: it was built elsewhere or removed; deploy the app again", want.Ref),
		}
	}
	ref, err := want.Pinned()
	if err != nil {
		return want, err
	}
	if err := e.PullFor(ctx, ref, build, progress); err != nil {
		return want, fmt.Errorf("pull image %s: %w", ref, err)
	}
	got, err := e.Image(ctx, ref)
	switch {
	case err != nil:
		return want, err
	case want.ID == "" || want.Is(got.ID):
		return want, nil
	case want.Digest == "":
		return want, cluster.Conflict("image %s is now %s, and the release was made with %s; deploy the app again to take the new one", ref, got.ID, want.ID)
	}
	want.ID = got.ID // this engine keeps images in another way than the one that had it first
	return want, nil
}

// BuiltHere says that the image was made by a build, so that no registry of others has
// it. An engine that leaves images to containerd gives each a digest, also one like that.
func BuiltHere(i cluster.Image) bool {
	_, tag, _ := strings.Cut(i.Ref, ":")
	return isNameOf(cluster.ID(tag))(i.Ref) || i.Digest == "" && strings.HasPrefix(i.Ref, BuiltPrefix)
}

// Find returns a release's image, by whichever of its ids this engine has it under: a
// tag can be moved meanwhile. ErrNoImage when it is not here.
func (e *Engine) Find(ctx context.Context, want cluster.Image) (img Image, err error) {
	handles := want.IDs()
	if len(handles) == 0 {
		handles = []string{want.Ref}
	}
	for _, id := range handles {
		if img, err = e.Image(ctx, id); !errors.Is(err, ErrNoImage) {
			break
		}
	}
	return img, err
}

// Has says whether the release's image is on this engine.
func (e *Engine) Has(ctx context.Context, want cluster.Image) (bool, error) {
	_, err := e.Find(ctx, want)
	if errors.Is(err, ErrNoImage) {
		return false, nil
	}
	return err == nil, err
}
