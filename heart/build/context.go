package build

import (
	"io"
	"path"

	"aorta/heart/docker/dockerfile"
	"aorta/internal/dockerignore"
	"aorta/pacemaker/cluster"
)

// checked is what a source was found to hold. The content of its files lies in
// the spool, one behind the other.
type checked struct {
	declared
	entries []entry
}

// entry is a file, folder or link of a source.
type entry struct {
	dockerfile.File
	pointer bool // of Git LFS, instead of the file's content
	ignored bool // by the ignore file, or outside of the context
}

// context gives the files that the engine gets: those of the context without what
// its ignore file leaves out, as docker build sends them. It refuses what would
// arrive in the image without its content.
func (c checked) context(spool io.ReaderAt, place dockerignore.Place, kind cluster.SourceKind) ([]dockerfile.File, error) {
	if err := c.markIgnored(spool, place); err != nil {
		return nil, err
	}
	if err := c.refuseHollow(kind); err != nil {
		return nil, err
	}
	return c.files(place), nil
}

// markIgnored asks the ignore file about each entry.
func (c checked) markIgnored(spool io.ReaderAt, place dockerignore.Place) error {
	m, err := c.ignoreFile(spool, place)
	if err != nil {
		return err
	}
	for i := range c.entries {
		e := &c.entries[i]
		rel, inside := place.Inside(e.Path)
		e.ignored = !inside || m.Ignores(rel)
	}
	return nil
}

// ignoreFile reads the file that says what the build does not get, if there is
// one.
func (c checked) ignoreFile(spool io.ReaderAt, place dockerignore.Place) (*dockerignore.Matcher, error) {
	for _, name := range place.IgnoreFiles() {
		e := c.find(name)
		if e == nil {
			continue
		}
		if err := checkDeclared(e.File); err != nil {
			return nil, err
		}
		content, err := read(spool, e.File)
		if err != nil {
			return nil, err
		}
		m, err := dockerignore.Parse(content)
		if err != nil {
			return nil, cluster.Invalid(name, "%v", err)
		}
		return m, nil
	}
	return nil, nil
}

// find returns the entry of a name, the last one if there are several.
func (c checked) find(name string) *entry {
	for i := len(c.entries) - 1; i >= 0; i-- {
		if c.entries[i].Path == name {
			return &c.entries[i]
		}
	}
	return nil
}

// files lists what is not ignored, with the folders that it lies in, by names in
// the context.
func (c checked) files(place dockerignore.Place) []dockerfile.File {
	needed := map[string]bool{}
	for _, e := range c.entries {
		for dir := e.Path; !e.ignored && dir != "." && !needed[dir]; dir = path.Dir(dir) {
			needed[dir] = true
		}
	}
	var list []dockerfile.File
	whole := map[string]dockerfile.File{} // files that a hard link may stand for, ignored or not
	for _, e := range c.entries {
		rel, inside := place.Inside(e.Path)
		f := e.File
		if origin, ok := whole[f.Same]; ok && f.Same != "" {
			f = follow(f, origin, needed)
		}
		whole[e.Path] = f
		if inside && (!e.ignored || f.Mode.IsDir() && needed[e.Path]) {
			f.Path = rel
			f.Same, _ = place.Inside(f.Same)
			list = append(list, f)
		}
	}
	return list
}

// follow gives a hard link what the file has that it stands for. It stays a link
// if that is in the context too.
func follow(link, origin dockerfile.File, kept map[string]bool) dockerfile.File {
	same := link.Same
	if origin.Same != "" {
		same = origin.Same
	}
	origin.Path, origin.Same = link.Path, same
	if !kept[same] {
		origin.Same = ""
	}
	return origin
}

// read returns the content of a file.
func read(spool io.ReaderAt, f dockerfile.File) ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(spool, f.At, f.Size))
}

// emptyFolders names the folders that are kept and have nothing in them.
func (c checked) emptyFolders() []string {
	full := map[string]bool{}
	for _, e := range c.entries {
		full[path.Dir(e.Path)] = true
	}
	var list []string
	for _, e := range c.entries {
		if e.Mode.IsDir() && !e.ignored && !full[e.Path] {
			list = append(list, e.Path)
		}
	}
	return list
}
