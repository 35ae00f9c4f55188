package accesslog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// packed are the endings of rotated logs that somebody compressed.
var packed = []string{".gz", ".bz2", ".xz", ".zst", ".tmp"}

// found is a log on disk, opened.
type found struct {
	id   identity
	size int64
	fd   *os.File
}

// list opens the log at path and its rotated ones, oldest first. Files without
// a whole line are left out, and so is what vanishes meanwhile. The list isn't
// complete when a rotated log may not be read.
func list(path string) (all []found, complete bool, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, false, fmt.Errorf("look for access logs: %w", err)
	}
	complete = true
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(path), e.Name())
		rotated := strings.HasPrefix(name, path+".") && !slices.Contains(packed, filepath.Ext(name))
		if !e.Type().IsRegular() || (name != path && !rotated) {
			continue
		}
		one, err := look(name)
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
		if one.id.head == "" && name != path {
			_ = one.fd.Close()
			continue
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b found) int {
		return strings.Compare(born(a.id), born(b.id))
	})
	return all, complete, nil
}

// born orders identities by birth time, which has a fixed width.
func born(id identity) string { return id.file[strings.IndexByte(id.file, ':')+1:] }

func look(name string) (found, error) {
	fd, err := os.Open(name)
	if err != nil {
		return found{}, fmt.Errorf("open an access log: %w", err)
	}
	id, size, err := identify(fd)
	if err != nil {
		_ = fd.Close()
		return found{}, err
	}
	return found{id: id, size: size, fd: fd}, nil
}
