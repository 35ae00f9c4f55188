package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aorta/pacemaker/cluster"
)

// Where the library has its files, below the registry's directory. A link is a file
// with a digest in it.
//
//	repositories/APP/_manifests/tags/BUILD/current/link   the manifest that a tag names
//	repositories/APP/_manifests/revisions/sha256/HEX/link the manifests of a repository
//	repositories/APP/_layers/sha256/HEX/link              the blobs of a repository
//	repositories/APP/_uploads/ID/                         what is being sent
//	blobs/sha256/HE/HEX/data                              the blobs, each one once
const root = "docker/registry/v2"

const algorithm = "sha256"

func (r *Registry) repositories() string { return filepath.Join(r.cfg.Dir, root, "repositories") }

func (r *Registry) repository(app cluster.ID) string {
	return filepath.Join(r.repositories(), string(app))
}

func (r *Registry) tags(app cluster.ID) string {
	return filepath.Join(r.repository(app), "_manifests", "tags")
}

func (r *Registry) revisions(app cluster.ID) string {
	return filepath.Join(r.repository(app), "_manifests", "revisions", algorithm)
}

func (r *Registry) layers(app cluster.ID) string {
	return filepath.Join(r.repository(app), "_layers", algorithm)
}

func (r *Registry) uploads(app cluster.ID) string {
	return filepath.Join(r.repository(app), "_uploads")
}

func (r *Registry) blobs() string { return filepath.Join(r.cfg.Dir, root, "blobs", algorithm) }

// hexOf is what a digest has behind its algorithm, "" when the text is no digest.
func hexOf(digest string) string {
	hex, ok := strings.CutPrefix(digest, algorithm+":")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	return hex
}

// blob is the directory of a blob, "" when the text is no digest.
func (r *Registry) blob(digest string) string {
	hex := hexOf(digest)
	if hex == "" {
		return ""
	}
	return filepath.Join(r.blobs(), hex[:2], hex)
}

// data is the file of a blob.
func (r *Registry) data(digest string) string {
	if dir := r.blob(digest); dir != "" {
		return filepath.Join(dir, "data")
	}
	return ""
}

// within are the names in a directory; none when it is not there.
func within(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// apps are those that have a repository.
func (r *Registry) apps() ([]cluster.ID, error) {
	names, err := within(r.repositories())
	var apps []cluster.ID
	for _, name := range names {
		if app, err := cluster.ParseID(name); err == nil {
			apps = append(apps, app)
		}
	}
	if err != nil {
		err = fmt.Errorf("list the registry's repositories: %w", err)
	}
	return apps, err
}

// linked is the digest that a link names, "" when it is not there or damaged.
func linked(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if gone(err) != nil || hexOf(string(raw)) == "" {
		return "", gone(err)
	}
	return string(raw), nil
}

// gone leaves out that something is not there any more: it may be removed at any time.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
