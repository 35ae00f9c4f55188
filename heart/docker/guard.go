package docker

import (
	"context"
	"errors"

	"aorta/heart/docker/buildkit"
	"aorta/heart/docker/dockerfile"
)

// checkURLs shows the recipe's guard what the engine would fetch.
func checkURLs(ctx context.Context, r dockerfile.Recipe, urls []string) error {
	for _, url := range urls {
		if err := r.Guard.URL(ctx, url); err != nil {
			return err
		}
	}
	return nil
}

// checkNames does what the guard of a BuildKit build sees by itself: it shows it
// the images too. One that is not here has no label that could be known.
func (e *Engine) checkNames(ctx context.Context, r dockerfile.Recipe) error {
	names := buildkit.NamesOf(r)
	if err := checkURLs(ctx, r, names.URLs); err != nil {
		return err
	}
	for _, ref := range names.Images {
		if err := r.Guard.Registry(ctx, ref); err != nil {
			return err
		}
		img, err := e.Image(ctx, ref)
		if errors.Is(err, ErrNoImage) {
			continue
		}
		if err == nil {
			err = r.Guard.Image(ref, img.Labels)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
