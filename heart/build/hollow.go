package build

import (
	"bytes"
	"fmt"
	"strings"

	"aorta/pacemaker/cluster"
)

// maxPointer is more than the size of any Git LFS pointer, in bytes.
const maxPointer = 1024

var (
	pointerStart = []byte("version https://git-lfs.github.com/spec/")
	pointerHash  = []byte("\noid sha256:")
)

// isPointer tells whether a file's content is what Git LFS keeps in its place.
func isPointer(content []byte) bool {
	return len(content) <= maxPointer && bytes.HasPrefix(content, pointerStart) && bytes.Contains(content, pointerHash)
}

// refuseHollow refuses files and folders whose content is elsewhere: an image
// without it would build and fail later.
func (c checked) refuseHollow(kind cluster.SourceKind) error {
	if err := c.refusePointers(kind); err != nil {
		return err
	}
	if kind != cluster.SourceCommit {
		return nil // an archive may have empty folders on purpose
	}
	// Git keeps no empty folders, so each stands for a submodule.
	modules := c.emptyFolders()
	if len(modules) == 0 {
		return nil
	}
	return cluster.Invalid("source", "%s: the files of git submodules are not part of a commit. Deploy from a checkout that has them "+
		"(git submodule update --init --recursive && aorta deploy), commit their files instead, or name them in .dockerignore if the build does not need them", some(modules, "submodule"))
}

func (c checked) refusePointers(kind cluster.SourceKind) error {
	var pointers []string
	for _, e := range c.entries {
		if e.pointer && !e.ignored {
			pointers = append(pointers, e.Path)
		}
	}
	if len(pointers) == 0 {
		return nil
	}
	next := "Fetch the files (git lfs pull) and deploy again"
	if kind == cluster.SourceCommit {
		next = "Deploy from a checkout that has the files (git lfs pull && aorta deploy), or move them into git itself (git lfs migrate export --include=PATTERN)"
	}
	return cluster.Invalid("source", "%s: only pointers of Git LFS arrived, not the files. %s", some(pointers, "file"), next)
}

// some says how many names there are, and the first of them.
func some(names []string, what string) string {
	const shown = 3
	var quoted []string
	for _, n := range names[:min(shown, len(names))] {
		quoted = append(quoted, quote(n))
	}
	text := strings.Join(quoted, ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(names) > 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s, %s", len(names), what, text)
}
