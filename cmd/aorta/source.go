package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is the files of a directory that go into an archive.
type source struct {
	root  string   // absolute, links resolved
	paths []string // relative, sorted
}

// listSource lists what of dir is to be sent: in a git repository all that git
// does not ignore, elsewhere everything but .git. It refuses a directory
// without a Dockerfile and links that lead out, before anything is sent.
func listSource(ctx context.Context, dir string) (source, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err == nil {
		root, err = filepath.Abs(root)
	}
	if err != nil {
		return source{}, usagef("find what to deploy: %w", err)
	}
	if st, err := os.Stat(root); err == nil && !st.IsDir() {
		return source{}, usagef("%s is a file; to deploy an archive: aorta deploy --archive %s", dir, dir)
	}
	src := source{root: root}
	if err := src.list(ctx); err != nil {
		return source{}, err
	}
	slices.Sort(src.paths)
	src.paths = slices.Compact(src.paths)
	return src, src.check(dir)
}

// list asks git, and takes everything only where there is no repository (or no
// git): git that fails in one must not lead to sending what it would ignore.
func (s *source) list(ctx context.Context) error {
	listed, err := gitIn(ctx, s.root, "ls-files", "-co", "--exclude-standard", "-z")
	switch {
	case err == nil:
		return s.addListed(strings.Split(listed, "\x00"))
	case errors.Is(err, exec.ErrNotFound) || !inRepository(s.root):
		return s.addTree(".")
	}
	return fmt.Errorf("ask git which files are not ignored: %w", err)
}

func inRepository(dir string) bool {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// addListed takes git's list, which may name files that are gone, and the
// repositories of submodules as directories.
func (s *source) addListed(names []string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		name = filepath.Clean(filepath.FromSlash(name))
		st, err := os.Lstat(filepath.Join(s.root, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("list what to deploy: %w", err)
		case st.IsDir():
			if err := s.addTree(name); err != nil {
				return err
			}
		default:
			s.paths = append(s.paths, name)
		}
	}
	return nil
}

func (s *source) addTree(top string) error {
	err := filepath.WalkDir(filepath.Join(s.root, top), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".git" && d.IsDir():
			return filepath.SkipDir
		case d.IsDir() || d.Name() == ".git":
			return nil
		}
		rel, err := filepath.Rel(s.root, path)
		s.paths = append(s.paths, rel)
		return err
	})
	if err != nil {
		return fmt.Errorf("list what to deploy: %w", err)
	}
	return nil
}

func (s *source) check(dir string) error {
	if !slices.Contains(s.paths, "Dockerfile") {
		why := ""
		if _, err := os.Lstat(filepath.Join(s.root, "Dockerfile")); err == nil {
			why = " that git does not ignore"
		}
		return usagef("%s has no Dockerfile%s, so there is nothing to build an image by; add one there, or deploy an image: aorta deploy --image REF", dir, why)
	}
	for _, p := range s.paths {
		if err := s.checkLink(p); err != nil {
			return err
		}
	}
	return nil
}

// checkLink refuses a link that leads out of the directory, by its words or by
// where it ends.
func (s *source) checkLink(name string) error {
	path := filepath.Join(s.root, name)
	target, err := os.Readlink(path)
	if err != nil {
		return nil // not a link
	}
	out := filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target))
	if end, err := filepath.EvalSymlinks(path); err == nil && !out {
		rel, err := filepath.Rel(s.root, end)
		out = err != nil || !filepath.IsLocal(rel)
	}
	if out {
		return usagef("%s is a link to %s, outside of what is deployed; replace it by what it stands for, or let .gitignore name it", clean(name), clean(target))
	}
	return nil
}

// open gives the files as a gzipped tar, made while it is read. The goroutine
// behind it ends when the reader is closed or has had everything.
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
	for _, p := range s.paths {
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
	return nil // sockets, pipes and devices are no source
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
