package buildkit

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// definitionName is what the engine knows the Dockerfile by, wherever it is in
// the source.
const definitionName = "Dockerfile"

// tree offers a context's files to the engine. It implements fsutil.FS, whose
// walks go through each folder by name.
type tree struct {
	root    *node
	content io.ReaderAt
}

// node is a file, folder or link of a tree.
type node struct {
	stat     *types.Stat
	at       int64
	origin   *node            // of a hard link
	children map[string]*node // of a folder
}

// newTree makes a tree of a list. Of two entries with one name the later counts,
// as in a tar that is unpacked; folders without an entry get one.
func newTree(files []dockerfile.File, content io.ReaderAt) (*tree, error) {
	t := &tree{root: &node{stat: &types.Stat{Mode: uint32(fs.ModeDir | 0o755)}, children: map[string]*node{}}, content: content}
	for _, f := range files {
		if err := t.add(f); err != nil {
			return nil, err
		}
	}
	t.link()
	return t, nil
}

func (t *tree) add(f dockerfile.File) error {
	parent, err := t.folder(path.Dir(f.Path), f)
	if err != nil {
		return err
	}
	n := &node{at: f.At, stat: &types.Stat{Path: f.Path, Mode: uint32(f.Mode), ModTime: f.ModTime.UnixNano(), Size: f.Size, Linkname: f.Link}}
	name := path.Base(f.Path)
	before := parent.children[name]
	switch {
	case f.Mode.IsDir():
		n.children = map[string]*node{}
		if before != nil && before.children != nil {
			n.children = before.children
		}
	case before != nil && len(before.children) > 0:
		return cluster.Invalid("source", "%q is a folder with files and a file of the same name", cluster.Clip(f.Path))
	case f.Same != "":
		if n.origin = t.find(f.Same); n.origin == nil || n.origin.children != nil {
			return cluster.Invalid("source", "%q is a hard link to %q, which is not there before it", cluster.Clip(f.Path), cluster.Clip(f.Same))
		}
		if n.origin.origin != nil {
			n.origin = n.origin.origin
		}
		n.at, n.stat.Size, n.stat.Linkname = n.origin.at, n.origin.stat.Size, n.origin.stat.Linkname
		n.stat.Mode, n.stat.ModTime = n.origin.stat.Mode, n.origin.stat.ModTime
	}
	parent.children[name] = n
	return nil
}

// folder returns a folder, which is made with the time of the file that needs it
// if it is not there.
func (t *tree) folder(name string, of dockerfile.File) (*node, error) {
	if name == "." {
		return t.root, nil
	}
	parent, err := t.folder(path.Dir(name), of)
	if err != nil {
		return nil, err
	}
	n := parent.children[path.Base(name)]
	if n == nil {
		n = &node{children: map[string]*node{}, stat: &types.Stat{Path: name, Mode: uint32(fs.ModeDir | 0o755), ModTime: of.ModTime.UnixNano()}}
		parent.children[path.Base(name)] = n
	}
	if n.children == nil {
		return nil, cluster.Invalid("source", "%q lies in %q, which is no folder", cluster.Clip(of.Path), cluster.Clip(name))
	}
	return n, nil
}

func (t *tree) find(name string) *node {
	n := t.root
	if name == "." || name == "" {
		return n
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// link lets the first of several names for one file have its content, in the
// order of a walk, and the others point to it.
func (t *tree) link() {
	linked := map[*node]bool{}
	t.root.each(func(n *node) {
		if n.origin != nil {
			linked[n.origin] = true
		}
	})
	first := map[*node]string{}
	t.root.each(func(n *node) {
		of := n
		if n.origin != nil {
			of = n.origin
		}
		if !linked[of] || fs.FileMode(n.stat.Mode)&fs.ModeSymlink != 0 {
			return
		}
		if name, ok := first[of]; ok {
			n.stat.Linkname = name
			return
		}
		first[of] = n.stat.Path
	})
}

// each calls fn with all that is in a folder, in the order of a walk.
func (n *node) each(fn func(*node)) {
	for _, name := range n.names() {
		fn(n.children[name])
		n.children[name].each(fn)
	}
}

func (n *node) names() []string {
	list := make([]string, 0, len(n.children))
	for name := range n.children {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Walk calls fn with what is at target and in it.
func (t *tree) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	n := t.find(strings.Trim(path.Clean("/"+target), "/"))
	if n == nil {
		return nil
	}
	err := n.walk(ctx, n == t.root, fn)
	if err == filepath.SkipDir {
		return nil
	}
	return err
}

func (n *node) walk(ctx context.Context, root bool, fn fs.WalkDirFunc) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !root {
		err := fn(n.stat.Path, &fsutil.DirEntryInfo{Stat: n.stat.Clone()}, nil)
		if err == filepath.SkipDir && n.children != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, name := range n.names() {
		err := n.children[name].walk(ctx, false, fn)
		if err == filepath.SkipDir { // of a file: its folder is done with
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Open returns a file's content.
func (t *tree) Open(name string) (io.ReadCloser, error) {
	n := t.find(path.Clean(name))
	if n == nil || !fs.FileMode(n.stat.Mode).IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(io.NewSectionReader(t.content, n.at, n.stat.Size)), nil
}

// definition offers the Dockerfile, and an ignore file that ignores nothing,
// since the context has been filtered.
func definition(r dockerfile.Recipe) *tree {
	const nothing = "# filtered\n"
	text := bytes.NewReader(append([]byte(nothing), r.Text...))
	t, err := newTree([]dockerfile.File{
		{Path: definitionName, Mode: 0o644, At: int64(len(nothing)), Size: int64(len(r.Text))},
		{Path: definitionName + ".dockerignore", Mode: 0o644, Size: int64(len(nothing))},
	}, text)
	if err != nil {
		panic("buildkit: " + err.Error()) // two names that differ
	}
	return t
}
