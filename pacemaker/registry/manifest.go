package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// manifest is what a manifest of any kind names: an image its configuration and
// layers, an index other manifests.
type manifest struct {
	Config    blobRef   `json:"config"`
	Layers    []blobRef `json:"layers"`
	Manifests []blobRef `json:"manifests"`
}

type blobRef struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// manifest reads one; it is empty when the registry does not have it, or has it
// damaged: who takes it finds out.
func (r *Registry) manifest(digest string) (manifest, error) {
	var m manifest
	path := r.data(digest)
	if path == "" {
		return m, fmt.Errorf("%.80q is not the digest of a manifest", digest)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil && digestOf(raw) == digest {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return m, fmt.Errorf("read manifest %s: %w", digest, err)
	}
	return m, nil
}

// reach calls see with all that a manifest needs, itself included.
func (r *Registry) reach(digest string, see func(b blobRef)) error {
	m, err := r.manifest(digest)
	if err != nil {
		return err
	}
	see(blobRef{Digest: digest})
	if m.Config.Digest != "" {
		see(m.Config)
	}
	for _, layer := range m.Layers {
		see(layer)
	}
	for _, child := range m.Manifests {
		// An index may name images for machines of other kinds, which nobody sent.
		if err := r.reach(child.Digest, see); err != nil {
			return err
		}
	}
	return nil
}

// sizes remembers those of manifests, which never change.
type sizes struct {
	mu    sync.Mutex // guards known
	known map[string]int64
}

// sizeOf is how many bytes the blobs of an image have together.
func (r *Registry) sizeOf(digest string) (int64, error) {
	r.sizes.mu.Lock()
	size, known := r.sizes.known[digest]
	r.sizes.mu.Unlock()
	if known {
		return size, nil
	}
	err := r.reach(digest, func(b blobRef) { size += b.Size })
	if err == nil && size > 0 {
		r.sizes.remember(digest, size)
	}
	return size, err
}

func (s *sizes) remember(digest string, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]int64{}
	}
	s.known[digest] = size
}

// forget leaves those alone that are still there.
func (s *sizes) forget(there map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for digest := range s.known {
		if !there[digest] {
			delete(s.known, digest)
		}
	}
}
