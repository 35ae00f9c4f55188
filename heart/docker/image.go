package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// Image is an image on this engine.
type Image struct {
	ID      string     // "sha256:…"
	Tags    []string   // "name:tag"
	Digests []string   // "name@sha256:…", of those that came from a registry
	Size    int64      // bytes
	Command []string   // entry point and command; empty when it has neither
	Build   cluster.ID // that made it, from its label; empty for one that came from elsewhere
}

// Image looks an image up by id or reference: ErrNoImage when it is not here.
func (e *Engine) Image(ctx context.Context, ref string) (Image, error) {
	var img Image
	err := e.call(ctx, "inspect an image", lookTimeout, func(ctx context.Context) error {
		r, err := e.cli.ImageInspect(ctx, ref)
		img = Image{ID: r.ID, Tags: r.RepoTags, Digests: r.RepoDigests, Size: r.Size}
		if r.Config != nil {
			img.Command = append(append(img.Command, r.Config.Entrypoint...), r.Config.Cmd...)
		}
		return err
	})
	return img, err
}

// Digest is the manifest's digest that the image came with, or "".
func (i Image) Digest() string {
	for _, d := range i.Digests {
		if _, digest, ok := strings.Cut(d, "@"); ok {
			return digest
		}
	}
	return ""
}

// Images lists the images that carry this cluster's label, tagged or not.
func (e *Engine) Images(ctx context.Context) ([]Image, error) {
	var list []Image
	err := e.call(ctx, "list images", lookTimeout, func(ctx context.Context) error {
		r, err := e.cli.ImageList(ctx, client.ImageListOptions{Filters: e.ours()})
		for _, s := range r.Items {
			list = append(list, Image{ID: s.ID, Tags: namesOf(s.RepoTags), Digests: s.RepoDigests, Size: s.Size, Build: cluster.ID(s.Labels[cluster.LabelBuild])})
		}
		return err
	})
	return list, err
}

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

// Pull fetches an image from its registry; each step is told to progress.
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

// Tag gives an image one more name.
func (e *Engine) Tag(ctx context.Context, id, name string) error {
	return e.call(ctx, "tag an image", lookTimeout, func(ctx context.Context) error {
		_, err := e.cli.ImageTag(ctx, client.ImageTagOptions{Source: id, Target: name})
		return err
	})
}

// RemoveImage removes an image with all of its names: ErrInUse when a
// container, running or not, was made from it.
func (e *Engine) RemoveImage(ctx context.Context, i Image) error {
	handles := i.Tags
	if len(handles) == 0 {
		handles = []string{i.ID}
	}
	for _, h := range handles {
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

// ImagesInUse are the ids of images that a container on this engine was made
// from, whoever's it is.
func (e *Engine) ImagesInUse(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := e.call(ctx, "list containers", lookTimeout, func(ctx context.Context) error {
		r, err := e.cli.ContainerList(ctx, client.ContainerListOptions{All: true})
		for _, c := range r.Items {
			used[c.ImageID] = true
		}
		return err
	})
	return used, err
}

// Provide makes sure that a release's image is on this engine and says whether
// it had to be fetched. The id is checked: a name may have been moved, or
// squatted, since the release was made.
func (e *Engine) Provide(ctx context.Context, want cluster.Image, progress func(line string)) error {
	ref := want.Ref
	switch {
	case want.Digest != "":
		ref = repository(want.Ref) + "@" + want.Digest
	case strings.HasPrefix(want.Ref, BuiltPrefix):
		return &cluster.Error{
			Code: cluster.CodeNotFound, Err: ErrNoImage,
			Message: fmt.Sprintf("image %s is not on this node, and no registry carries it: it was built elsewhere or removed; deploy the app again", want.Ref),
		}
	}
	if err := e.Pull(ctx, ref, progress); err != nil {
		return fmt.Errorf("pull image %s: %w", ref, err)
	}
	got, err := e.Image(ctx, ref)
	if err != nil {
		return err
	}
	if want.ID != "" && got.ID != want.ID {
		return cluster.Conflict("image %s is now %s, and the release was made with %s; deploy the app again to take the new one", ref, got.ID, want.ID)
	}
	return nil
}

// Has says whether the release's own image is here.
func (e *Engine) Has(ctx context.Context, want cluster.Image) (bool, error) {
	_, err := e.Image(ctx, imageHandle(want))
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// repository drops the tag or digest of a reference; a colon before the last
// slash belongs to a registry's port.
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i]
	}
	return ref
}
