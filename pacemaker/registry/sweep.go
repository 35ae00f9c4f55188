package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"aorta/pacemaker/cluster"
)

// settleTime is how long what no image names stays all the same: a push may be about
// to name it, and has been told that it need not send it. No push takes as long.
const settleTime = 3 * time.Hour

// Sweep removes images, and then all that no image needs. It gives the bytes that
// this has freed. Pulls go on meanwhile, and pushes after a moment.
func (r *Registry) Sweep(ctx context.Context, unneeded []cluster.RegistryImage) (freed int64, err error) {
	r.sweeping.Lock()
	defer r.sweeping.Unlock()
	apps, err := r.apps()
	if err != nil {
		return 0, err
	}
	needed := map[string]bool{}
	for _, app := range apps {
		if err := r.sweepApp(app, unneeded, needed); err != nil {
			return 0, fmt.Errorf("sweep the registry: %w", err)
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("sweep the registry: %w", context.Cause(ctx))
		}
	}
	r.sizes.forget(needed)
	err = r.eachBlob(func(digest string, info os.FileInfo) error {
		if needed[digest] || !r.settled(info) {
			return nil
		}
		freed += info.Size()
		return os.RemoveAll(r.blob(digest))
	})
	return freed, err
}

// sweepApp removes what is not needed from an app's repository, and adds to needed
// what is.
func (r *Registry) sweepApp(app cluster.ID, unneeded []cluster.RegistryImage, needed map[string]bool) error {
	builds, err := within(r.tags(app))
	if err != nil {
		return err
	}
	own := map[string]bool{}
	for _, build := range builds {
		img, err := r.image(app, cluster.ID(build))
		if err != nil {
			return err
		}
		// Pushed again since it was judged, it is another one.
		if slices.Contains(unneeded, img) {
			if err := os.RemoveAll(filepath.Join(r.tags(app), build)); err != nil {
				return err
			}
			continue
		}
		if img.Digest == "" {
			continue
		}
		if err := r.reach(img.Digest, func(b blobRef) { own[b.Digest] = true }); err != nil {
			return err
		}
	}
	for digest := range own {
		needed[digest] = true
	}
	return errors.Join(r.dropLinks(r.revisions(app), own, needed), r.dropLinks(r.layers(app), own, needed), r.dropUploads(app))
}

// dropLinks removes the links in a directory to what the repository does not need.
// What may be about to be named stays.
func (r *Registry) dropLinks(dir string, own, needed map[string]bool) error {
	names, err := within(dir)
	if err != nil {
		return err
	}
	for _, hex := range names {
		digest := algorithm + ":" + hex
		if own[digest] {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, hex, "link"))
		if err == nil && !r.settled(info) {
			needed[digest] = true
			continue
		}
		if gone(err) != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(dir, hex)); err != nil {
			return err
		}
	}
	return nil
}

// dropUploads removes what was begun to be sent and is not any more.
func (r *Registry) dropUploads(app cluster.ID) error {
	ids, err := within(r.uploads(app))
	if err != nil {
		return err
	}
	for _, id := range ids {
		dir := filepath.Join(r.uploads(app), id)
		info, err := os.Stat(filepath.Join(dir, "data"))
		if err != nil { // nothing was sent
			info, err = os.Stat(dir)
		}
		if err == nil && r.settled(info) {
			err = os.RemoveAll(dir)
		}
		if gone(err) != nil {
			return err
		}
	}
	return nil
}

// settled says that nothing was done with a file for long.
func (r *Registry) settled(info os.FileInfo) bool {
	return time.Since(info.ModTime()) > settleTime
}

// touching serves who asks whether something is there: a push that hears so relies
// on it from then on.
func (r *Registry) touching(w http.ResponseWriter, req *http.Request) {
	r.sweeping.RLock()
	defer r.sweeping.RUnlock()
	if ask, err := cluster.ParseRegistryRequest(req.Method, req.URL.Path, req.Form); err == nil {
		r.touch(ask.App, ask.Blob)
	}
	r.app.ServeHTTP(w, req)
}

// touch has a blob stay for a while, if it is there, and be one of the repository.
func (r *Registry) touch(app cluster.ID, digest string) {
	path := r.data(digest)
	if path == "" {
		return
	}
	now := time.Now()
	link := filepath.Join(r.layers(app), filepath.Base(r.blob(digest)), "link")
	if err := errors.Join(gone(os.Chtimes(path, now, now)), gone(os.Chtimes(link, now, now))); err != nil {
		r.cfg.Log.Warn("a blob of the registry can't be kept for a push", "digest", digest, "err", err)
	}
}

// Forget removes the images of an app; what others share stays until nothing needs
// it. It is part of pacemaker.AppData.
func (r *Registry) Forget(_ context.Context, app cluster.ID) error {
	r.sweeping.Lock()
	defer r.sweeping.Unlock()
	if err := os.RemoveAll(r.repository(app)); err != nil {
		return fmt.Errorf("remove the images of app %s from the registry: %w", app, err)
	}
	return nil
}

// Kept are the apps that have a repository.
func (r *Registry) Kept() ([]cluster.ID, error) { return r.apps() }
