package gitrepo

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The archive of a commit holds what a clean checkout of it does: names, modes,
// links and contents, whatever .gitattributes say.
func TestRepo_ArchiveIsWhatACheckoutHas(t *testing.T) {
	for seed := range uint64(3) {
		work := t.TempDir()
		tree := &workTree{t: t, dir: work, rand: rand.New(rand.NewPCG(seed, 0))}
		tree.fill()
		if seed == 0 {
			tree.write("huge.dos", strings.Repeat("0123456789abcde\n", 33<<16), 0o644)
		}
		r := newRepo(t)
		gitAt(t, work, "init", "-q", "-b", "main")
		gitAt(t, work, "add", "-A", ".")
		gitAt(t, work, "commit", "-q", "-m", "all")
		git(t, r, "", "fetch", "-q", work, "main:main")

		got := archiveFiles(t, r, git(t, r, "", "rev-parse", "main"))

		clean := filepath.Join(t.TempDir(), "clean")
		gitAt(t, work, "clone", "-q", work, clean)
		want := checkoutFiles(t, clean)
		if diff := cmp.Diff(want, got); diff != "" || len(want) < 60 {
			t.Errorf("seed %d, %d files (-checkout +archive):\n%s", seed, len(want), diff)
		}
	}
}

// workTree makes the files of a commit.
type workTree struct {
	t    *testing.T
	dir  string
	rand *rand.Rand
}

const allAttributes = `[attr]hidden export-ignore
*.hidden hidden
tests export-ignore
/dist/** export-ignore
version.txt export-subst
*.id ident
*.dos text eol=crlf
*.unix text eol=lf
*.auto text=auto
*.raw -text
*.utf16 text working-tree-encoding=UTF-16
*.lfs filter=lfs diff=lfs merge=lfs -text
*.all ident export-subst export-ignore text eol=crlf
`

func (w *workTree) fill() {
	w.write(".gitattributes", allAttributes, 0o644)
	w.write("sub/.gitattributes", "* export-ignore export-subst\n.gitattributes export-ignore\n*.dos eol=lf\n", 0o644)
	for _, end := range []string{"hidden", "id", "dos", "unix", "auto", "raw", "lfs", "all", "txt"} {
		for _, dir := range []string{"", "sub/", "tests/", "dist/deep/"} {
			w.write(dir+"file."+end, w.content(), 0o644)
		}
	}
	w.write("version.txt", "$Format:%H$\n$Id$\n", 0o644)
	w.write("wide.utf16", "\xff\xfeh\x00i\x00\n\x00", 0o644)
	w.write("empty", "", 0o644)
	for _, name := range []string{"white space ", "-dash", "--output=x", "new\nline", "tab\t", `back\slash`, `"quote"`, "ünïcode", "bytes\xff\xfe", "*", "#x", ".hidden-name", "sub/é/ü"} {
		w.write(name, w.content(), []fs.FileMode{0o644, 0o755, 0o600, 0o666, 0o777}[w.rand.IntN(5)])
	}
	w.write(strings.Repeat("deep-folder/", 30)+strings.Repeat("long-name", 20), w.content(), 0o755)
	for name, target := range map[string]string{
		"link": "empty", "dangling": "nowhere", "out": "../../etc/passwd", "absolute": "/etc/passwd", "sub/up": "../version.txt", "folder": "sub",
		"far": strings.Repeat("far/", 60) + "x", "odd\nlink": "white space ", "link.dos": "a\nb", "tests/hidden": "x",
	} {
		if err := os.Symlink(target, filepath.Join(w.dir, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// content has lines of every ending, and what git might expand. Git's own two
// ways of expanding disagree about $$Id$, so nothing here has it.
func (w *workTree) content() string {
	var b strings.Builder
	for range w.rand.IntN(20) {
		b.WriteString([]string{"line\n", "dos\r\n", " $Id$", " $Format:%h$", "no end", "\r", "ä", " $Id: old $\n"}[w.rand.IntN(8)])
	}
	return b.String()
}

func (w *workTree) write(name, content string, mode fs.FileMode) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		w.t.Fatal(err)
	}
}

func gitAt(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// shown describes one file: its kind and mode, and its content or target.
func shown(kind string, mode fs.FileMode, content string) string {
	if len(content) > 200 {
		content = fmt.Sprintf("%d bytes, %x", len(content), sha256.Sum256([]byte(content)))
	}
	return fmt.Sprintf("%s %o %q", kind, mode.Perm(), content)
}

func archiveFiles(t *testing.T, r Repo, commit string) map[string]string {
	t.Helper()
	a, err := r.Archive(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	files := map[string]string{}
	for in := tar.NewReader(a); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			files[h.Name] = shown("file", fs.FileMode(h.Mode), string(content))
		case tar.TypeDir:
			files[strings.TrimSuffix(h.Name, "/")] = shown("folder", fs.FileMode(h.Mode), "")
		case tar.TypeSymlink:
			files[h.Name] = shown("link", 0o777, h.Linkname)
		}
	}
}

// checkoutFiles reads a checkout made with a umask that takes only writing from
// others.
func checkoutFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		if d.Name() == ".git" {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		switch {
		case d.IsDir():
			files[name] = shown("folder", info.Mode(), "")
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			files[name] = shown("link", 0o777, target)
			return err
		default:
			content, err := os.ReadFile(path)
			files[name] = shown("file", info.Mode(), string(content))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
