package buildkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// IsHTTP tells a file or repository that is fetched by HTTP.
func IsHTTP(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://")
}

// folders are what a build offers to the engine by name: its own files, and what
// was fetched for it.
type folders struct {
	mu      sync.Mutex // guards the rest
	byName  map[string]fsutil.FS
	fetched map[string]string // names, by what was asked for
	open    []dockerfile.Content
}

// LookupDir finds a folder.
func (f *folders) LookupDir(name string) (fsutil.FS, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	folder, ok := f.byName[name]
	return folder, ok
}

// Close closes what was fetched.
func (f *folders) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, c := range f.open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// fetch has the guard get what a step of the engine would have fetched, once, and
// names the folder that has it.
func (f *folders) fetch(ctx context.Context, guard dockerfile.Guard, op *pb.SourceOp) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	url, file, sum := op.Identifier, op.Attrs[pb.AttrHTTPFilename], op.Attrs[pb.AttrHTTPChecksum]
	key := fmt.Sprintf("%q %q %q", url, file, sum)
	if name, ok := f.fetched[key]; ok {
		return name, nil
	}
	got, err := guard.Fetch(ctx, url)
	if err != nil {
		return "", err
	}
	f.open = append(f.open, got.Content)
	if err := verify(got, url, sum); err != nil {
		return "", err
	}
	if got.ModTime.IsZero() {
		got.ModTime = time.Unix(0, 0)
	}
	t, err := newTree([]dockerfile.File{{Path: file, Mode: fs.FileMode(0o600), ModTime: got.ModTime, Size: got.Size}}, got.Content)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("fetched-%d", len(f.fetched))
	f.byName[name], f.fetched[key] = t, name
	return name, nil
}

// verify compares a file with the checksum of ADD --checksum.
func verify(got dockerfile.Fetched, url, sum string) error {
	if sum == "" {
		return nil
	}
	want, err := digest.Parse(sum)
	if err != nil {
		return cluster.Invalid("", "the checksum of %q: %v", cluster.Clip(url), err)
	}
	is, err := want.Algorithm().FromReader(io.NewSectionReader(got.Content, 0, got.Size))
	if err != nil {
		return fmt.Errorf("read what was fetched: %w", err)
	}
	if is != want {
		return cluster.Invalid("", "%q has the checksum %s, and its ADD says %s", cluster.Clip(url), is, want)
	}
	return nil
}
