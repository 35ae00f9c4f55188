package buildkit

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tonistiigi/fsutil/types"
	"pgregory.net/rapid"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

func folder(name string) dockerfile.File {
	return dockerfile.File{Path: name, Mode: fs.ModeDir | 0o700, ModTime: time.Unix(5, 0)}
}

func plainFile(name string, at, size int64) dockerfile.File {
	return dockerfile.File{Path: name, Mode: 0o644, ModTime: time.Unix(7, 0), At: at, Size: size}
}

// walk describes what a walk from target meets, in its order.
func walk(t interface{ Fatal(...any) }, tr *tree, target string, skip ...string) []string {
	var met []string
	err := tr.Walk(testContext, target, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*types.Stat)
		text := fmt.Sprintf("%s %v", name, info.Mode())
		if stat.Linkname != "" {
			text += ">" + stat.Linkname
		} else if info.Mode().IsRegular() {
			in, err := tr.Open(name)
			if err != nil {
				return err
			}
			content, err := io.ReadAll(in)
			if err != nil {
				return err
			}
			text += " " + string(content)
		}
		met = append(met, text)
		for _, s := range skip {
			if s == name {
				return filepath.SkipDir
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return met
}

func TestTree_WalksAsADiskWould(t *testing.T) {
	tr, err := newTree([]dockerfile.File{
		plainFile("z", 0, 1), plainFile("b/late", 1, 2), folder("a"), plainFile("a.b", 3, 1), plainFile("a/x", 4, 1), folder("b"),
		{Path: "link", Mode: fs.ModeSymlink | 0o777, Link: "../out"},
		{Path: "a/hard", Mode: 0o644, Same: "z"},
		plainFile("z2", 0, 9), plainFile("z2", 4, 2),
	}, strings.NewReader("0123456789"))
	if err != nil {
		t.Fatal(err)
	}

	all := walk(t, tr, "/")
	want := []string{"a drwx------", "a/hard -rw-r--r-- 0", "a/x -rw-r--r-- 4", "a.b -rw-r--r-- 3", "b drwx------", "b/late -rw-r--r-- 12", "link Lrwxrwxrwx>../out", "z -rw-r--r-->a/hard", "z2 -rw-r--r-- 45"}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("everything (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[4:6], walk(t, tr, "b")); diff != "" {
		t.Errorf("a folder (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{want[0], want[3]}, walk(t, tr, ".", "a", "a.b")); diff != "" {
		t.Errorf("with a folder and the rest of another skipped (-want +got):\n%s", diff)
	}
	if met := walk(t, tr, "none/x"); met != nil {
		t.Errorf("nothing there: got %v", met)
	}
}

func TestTree_RefusesWhatIsNoTree(t *testing.T) {
	for want, files := range map[string][]dockerfile.File{
		`"a/b" lies in "a", which is no folder`:         {plainFile("a", 0, 1), plainFile("a/b", 0, 1)},
		`"a" is a folder with files and a file`:         {plainFile("a/b", 0, 1), plainFile("a", 0, 1)},
		`"h" is a hard link to "x", which is not there`: {{Path: "h", Mode: 0o644, Same: "x"}},
	} {
		_, err := newTree(files, strings.NewReader("0123456789"))

		if err == nil || !strings.Contains(err.Error(), want) || cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("got %v, want invalid with %q", err, want)
		}
	}
}

// Whatever the entries, a walk goes as fsutil's receiver demands: folders before
// what is in them, by name in each.
func TestTree_WalkIsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringMatching(`[a-c.!](/[a-c.!]){0,3}`), 0, 20).Draw(t, "names")
		var files []dockerfile.File
		for i, n := range names {
			if strings.Contains("/"+n+"/", "/./") {
				continue
			}
			f := plainFile(n, 0, 1)
			if rapid.Bool().Draw(t, fmt.Sprint("folder ", i)) {
				f = folder(n)
			}
			files = append(files, f)
		}
		tr, err := newTree(files, strings.NewReader("x"))
		if err != nil {
			return
		}
		check(t, tr)
	})
}
