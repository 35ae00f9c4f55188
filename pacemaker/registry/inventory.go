package registry

import (
	"fmt"
	"os"
	"path/filepath"

	"aorta/pacemaker/cluster"
)

// Images lists what the registry has.
func (r *Registry) Images() ([]cluster.RegistryImage, error) {
	apps, err := r.apps()
	if err != nil {
		return nil, err
	}
	var list []cluster.RegistryImage
	for _, app := range apps {
		builds, err := within(r.tags(app))
		if err != nil {
			return nil, fmt.Errorf("list the images of app %s: %w", app, err)
		}
		for _, build := range builds {
			img, err := r.image(app, cluster.ID(build))
			if err != nil {
				return nil, fmt.Errorf("read image %s of app %s in the registry: %w", build, app, err)
			}
			if img.Digest != "" {
				list = append(list, img)
			}
		}
	}
	return list, nil
}

// image reads one; it has no digest when it is not there.
func (r *Registry) image(app, build cluster.ID) (cluster.RegistryImage, error) {
	img := cluster.RegistryImage{App: app, Build: build}
	link := filepath.Join(r.tags(app), string(build), "current", "link")
	info, err := os.Stat(link)
	if err != nil {
		return img, gone(err)
	}
	img.PushedAt = info.ModTime().UTC()
	if img.Digest, err = linked(link); err != nil || img.Digest == "" {
		return img, err
	}
	img.Size, err = r.sizeOf(img.Digest)
	return img, err
}

// Used is how many bytes all that the registry has takes on the disk.
func (r *Registry) Used() (int64, error) {
	var sum int64
	err := r.eachBlob(func(_ string, info os.FileInfo) error {
		sum += info.Size()
		return nil
	})
	return sum, err
}

// eachBlob calls see with the digest of each blob, and its file.
func (r *Registry) eachBlob(see func(digest string, info os.FileInfo) error) error {
	heads, err := within(r.blobs())
	if err != nil {
		return fmt.Errorf("list the registry's blobs: %w", err)
	}
	for _, head := range heads {
		names, err := within(filepath.Join(r.blobs(), head))
		if err != nil {
			return fmt.Errorf("list the registry's blobs: %w", err)
		}
		for _, hex := range names {
			digest := algorithm + ":" + hex
			if r.blob(digest) == "" {
				continue // none of the library's
			}
			info, err := os.Stat(r.data(digest))
			if err == nil {
				err = see(digest, info)
			}
			if gone(err) != nil {
				return fmt.Errorf("look at blob %s: %w", digest, err)
			}
		}
	}
	return nil
}
