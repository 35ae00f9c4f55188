package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml"

	"aorta/internal/dockerignore"
)

// source is the files of a directory that go into an archive.
type source struct {
	root    string          // absolute, links resolved
	paths   []string        // relative, sorted
	folders map[string]bool // relative; those of ignored files too, as docker build has them
	left    []string        // what is in the directory and is no source, with what it is
	place   dockerignore.Place
	named   bool // place is of aorta.yml: what is wrong with it, the builder says with its line
	ignore  *dockerignore.Matcher
}

// declarations are read from the source itself, so that they are sent even if
// .dockerignore keeps them out of the image.
var declarations = []string{"aorta.yml", "Procfile", "app.json"}

// listSource lists the files of dir to upload: in a git repository all that git
// does not ignore, elsewhere all but .git, and nothing that .dockerignore keeps
// from the build. It refuses a directory without a Dockerfile, and links that
// lead out of it, before anything is sent.
func listSource(ctx context.Context, dir string) (source, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err == nil {
		root, err = filepath.Abs(root)
	}
	if err != nil {
		return source{}, usagef("open the directory to deploy: %w", err)
	}
	if st, err := os.Stat(root); err == nil && !st.IsDir() {
		return source{}, usagef("%s is a file; to deploy an archive: aorta deploy --archive %s", dir, dir)
	}
	src := source{root: root, folders: map[string]bool{}}
	if err := src.refuseSpecial(declarations); err != nil {
		return source{}, err
	}
	src.place, src.named = placeIn(root)
	if err := src.refuseSpecial(src.place.IgnoreFiles()); err != nil {
		return source{}, err
	}
	if err := src.readIgnore(); err != nil {
		return source{}, err
	}
	if err := src.list(ctx); err != nil {
		return source{}, err
	}
	slices.Sort(src.paths)
	src.paths = slices.Compact(src.paths)
	return src, src.check(dir)
}

// placeIn is where the directory's aorta.yml says that the build is; named tells
// whether it does. What is wrong in that file is for the builder to say, which
// reads it whole.
func placeIn(root string) (place dockerignore.Place, named bool) {
	content, err := os.ReadFile(filepath.Join(root, "aorta.yml"))
	if err != nil {
		return dockerignore.Root, false
	}
	var file struct {
		Build struct{ Dockerfile, Context string }
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return dockerignore.Root, true
	}
	place = dockerignore.Place{Dockerfile: file.Build.Dockerfile, Context: path.Clean(file.Build.Context)}
	if place.Dockerfile == "" {
		place.Dockerfile = path.Join(place.Context, "Dockerfile")
	}
	place.Dockerfile = path.Clean(place.Dockerfile)
	return place, file.Build.Dockerfile+file.Build.Context != ""
}

// readIgnore reads the file that says what the build does not get.
func (s *source) readIgnore() error {
	for _, name := range s.place.IgnoreFiles() {
		if !filepath.IsLocal(name) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(s.root, name))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err == nil {
			s.ignore, err = dockerignore.Parse(content)
		}
		if err != nil {
			return usagef("read %s: %w", name, err)
		}
		return nil
	}
	return nil
}

// leavesOut tells whether a file or folder is not sent. What lies outside of the
// build's context is: the builder may read it.
func (s *source) leavesOut(name string) bool {
	rel, ok := s.inContext(name)
	return ok && s.ignore.Ignores(rel)
}

// prunes tells whether a folder is not sent with all that is in it.
func (s *source) prunes(name string) bool {
	rel, ok := s.inContext(name)
	return ok && s.ignore.Prunes(rel)
}

// inContext gives a name in the context; not ok says that the ignore file has no
// word on it.
func (s *source) inContext(name string) (string, bool) {
	name = filepath.ToSlash(name)
	if slices.Contains(declarations, name) || s.place.Reads(name) {
		return "", false
	}
	return s.place.Inside(name)
}

// list asks git, and lists everything only if there is no repository or no git.
// If git fails in a repository, nothing is sent: it might be an ignored file.
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

// addListed adds git's list, which may name files that don't exist any more, and
// submodules as directories.
func (s *source) addListed(names []string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		local := filepath.Clean(filepath.FromSlash(name))
		st, err := os.Lstat(filepath.Join(s.root, local))
		if err == nil {
			s.addFolders(filepath.Dir(local))
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) || s.leavesOut(local):
		case err != nil:
			return fmt.Errorf("list the files to deploy: %w", err)
		case st.IsDir():
			if err := s.addRepository(local, !strings.HasSuffix(name, "/")); err != nil {
				return err
			}
		default:
			s.addFile(local, st.Mode())
		}
	}
	return nil
}

// addFolders adds a folder and those that it is in.
func (s *source) addFolders(dir string) {
	for ; dir != "." && !s.folders[dir]; dir = filepath.Dir(dir) {
		if !s.leavesOut(dir) {
			s.folders[dir] = true
		}
	}
}

// addRepository adds the files of a repository inside of this one, which is a
// submodule or just lies there.
func (s *source) addRepository(dir string, submodule bool) error {
	entries, err := os.ReadDir(filepath.Join(s.root, dir))
	if err == nil && submodule && len(entries) == 0 {
		return usagef("%s is a git submodule whose files are not here; fetch them: git submodule update --init --recursive (or name it in .dockerignore)", clean(dir))
	}
	return s.addTree(dir)
}

func (s *source) addTree(top string) error {
	err := filepath.WalkDir(filepath.Join(s.root, top), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || s.prunes(rel)):
			return filepath.SkipDir
		case d.IsDir():
			s.addFolders(rel)
			return nil
		case d.Name() == ".git" || s.leavesOut(rel):
			return nil
		}
		s.addFile(rel, d.Type())
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the files to deploy: %w", err)
	}
	return nil
}

func (s *source) check(dir string) error {
	file := filepath.FromSlash(s.place.Dockerfile)
	switch {
	case s.hasFile(file):
	case s.ignored(file):
		return usagef("git ignores %s of %s, which is needed to build an image; take it out of .gitignore", clean(s.place.Dockerfile), dir)
	case !s.named:
		return usagef("%s has no %s, which is needed to build an image; add one, or deploy an image: aorta deploy --image REF", dir, clean(s.place.Dockerfile))
	}
	for _, p := range s.paths {
		if err := s.checkLink(p); err != nil {
			return err
		}
	}
	return nil
}

// ignored tells whether a file that is not sent is there all the same.
func (s *source) ignored(name string) bool {
	if !filepath.IsLocal(name) {
		return false
	}
	st, err := os.Lstat(filepath.Join(s.root, name))
	return err == nil && st.Mode().IsRegular()
}

// hasFile tells whether the Dockerfile is sent, in either spelling.
func (s *source) hasFile(name string) bool {
	lower := filepath.Join(filepath.Dir(name), strings.ToLower(filepath.Base(name)))
	return slices.Contains(s.paths, name) || filepath.Base(name) == "Dockerfile" && slices.Contains(s.paths, lower)
}

// checkLink refuses a relative link whose target, as written or resolved, is
// outside the directory. An absolute one is a path of the image.
func (s *source) checkLink(name string) error {
	path := filepath.Join(s.root, name)
	target, err := os.Readlink(path)
	if err != nil || filepath.IsAbs(target) {
		return nil
	}
	out := !filepath.IsLocal(filepath.Join(filepath.Dir(name), target))
	if end, err := filepath.EvalSymlinks(path); err == nil && !out {
		rel, err := filepath.Rel(s.root, end)
		out = err != nil || !filepath.IsLocal(rel)
	}
	if out {
		return usagef("%s is a link to %s, outside the directory; replace it by a copy, or add it to .dockerignore", clean(name), clean(target))
	}
	return nil
}
