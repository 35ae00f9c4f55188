package dockerfile

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// The files by which the classic builder is told what a context does not have:
// a Dockerfile that lies elsewhere, and that the image must not have it.
const (
	besides    = ".aorta.Dockerfile"
	ignoreFile = ".dockerignore"
)

// Tar packs the context for the classic builder and says where in it the
// Dockerfile is. It is packed while it is read; close it to end that.
func (r Recipe) Tar() (dockerfile string, in io.ReadCloser) {
	dockerfile, files := r.Dockerfile, r.Files
	extra := map[string][]byte{}
	if !slices.ContainsFunc(files, func(f File) bool { return f.Path == dockerfile }) {
		dockerfile = besides
		extra[besides] = r.Text
		files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return f.Path == ignoreFile })
		extra[ignoreFile] = r.ignoring(besides)
	}
	read, write := io.Pipe()
	go func() { write.CloseWithError(r.pack(tar.NewWriter(write), files, extra)) }()
	return dockerfile, read
}

// ignoring is the context's ignore file with one more name in it, as docker
// build sends it. The engine reads it to remove from the context what it was
// sent for itself alone.
func (r Recipe) ignoring(name string) []byte {
	for _, f := range r.Files {
		if f.Path == ignoreFile && f.Mode.IsRegular() {
			text, err := io.ReadAll(io.NewSectionReader(r.Content, f.At, f.Size))
			if err == nil { // the same content fails again as it is packed, if it does
				return append(text, "\n"+name+"\n"...)
			}
		}
	}
	return []byte(ignoreFile + "\n" + name + "\n")
}

func (r Recipe) pack(w *tar.Writer, files []File, extra map[string][]byte) error {
	for _, f := range files {
		if err := r.packFile(w, f); err != nil {
			return fmt.Errorf("pack %s: %w", f.Path, err)
		}
	}
	for name, text := range extra {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(w, bytes.NewReader(text)); err != nil {
			return err
		}
	}
	return w.Close()
}

func (r Recipe) packFile(w *tar.Writer, f File) error {
	h := &tar.Header{Name: f.Path, Mode: int64(f.Mode.Perm()), ModTime: f.ModTime}
	switch {
	case f.Mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, strings.TrimSuffix(f.Path, "/")+"/"
	case f.Mode&fs.ModeSymlink != 0:
		h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
	case f.Same != "":
		h.Typeflag, h.Linkname = tar.TypeLink, f.Same
	default:
		h.Typeflag, h.Size = tar.TypeReg, f.Size
	}
	if err := w.WriteHeader(h); err != nil || h.Size == 0 {
		return err
	}
	_, err := io.Copy(w, io.NewSectionReader(r.Content, f.At, f.Size))
	return err
}
