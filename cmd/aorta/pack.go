package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// open returns the files as a gzipped tar, packed while it is read. Its goroutine
// ends when all was read or the reader is closed.
func (s *source) open() io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(s.write(w)) }()
	return r
}

func (s *source) write(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	t := tar.NewWriter(z)
	for _, p := range append(slices.Sorted(maps.Keys(s.folders)), s.paths...) {
		if err := s.pack(t, p); err != nil {
			return fmt.Errorf("pack %s: %w", p, err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return z.Close()
}

func (s *source) pack(t *tar.Writer, name string) error {
	path := filepath.Join(s.root, name)
	st, err := os.Lstat(path)
	if err != nil {
		return err
	}
	h := &tar.Header{Name: filepath.ToSlash(name), Mode: int64(st.Mode().Perm()), ModTime: st.ModTime().Truncate(1e9)}
	switch {
	case st.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		return t.WriteHeader(h)
	case st.Mode()&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		if h.Linkname, err = os.Readlink(path); err != nil {
			return err
		}
		return t.WriteHeader(h)
	case st.Mode().IsRegular():
		h.Typeflag, h.Size = tar.TypeReg, st.Size()
		return packFile(t, h, path)
	}
	return nil // became something else since it was listed
}

func packFile(t *tar.Writer, h *tar.Header, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	// A file that grows meanwhile is sent as long as it was.
	if _, err := io.CopyN(t, f, h.Size); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it became shorter while it was read; deploy again when nothing writes to it")
		}
		return err
	}
	return nil
}
