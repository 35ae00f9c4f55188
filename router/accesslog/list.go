package accesslog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aorta/internal/fileid"
)

// packed are the endings of rotated logs that somebody compressed.
var packed = []string{".gz", ".bz2", ".xz", ".zst", ".tmp"}

// found is a log on disk, opened.
type found struct {
	id   fileid.ID
	size int64
	fd   *os.File
}

// list opens the log at path and its rotated ones, oldest first. Files without
// a whole line are left out, and so is what vanishes meanwhile. The list isn't
// complete when a rotated log may not be read.
func list(path string) (all []found, complete bool, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, false, fmt.Errorf("list the access logs: %w", err)
	}
	complete = true
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(path), e.Name())
		rotated := strings.HasPrefix(name, path+".") && !slices.Contains(packed, filepath.Ext(name))
		if !e.Type().IsRegular() || (name != path && !rotated) {
			continue
		}
		fd, id, size, err := fileid.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) && name != path {
			complete = false
			continue
		}
		if err != nil {
			return all, false, err
		}
		if id.Head == "" && name != path {
			_ = fd.Close()
			continue
		}
		all = append(all, found{id: id, size: size, fd: fd})
	}
	slices.SortFunc(all, func(a, b found) int {
		return strings.Compare(a.id.Born(), b.id.Born())
	})
	return all, complete, nil
}
