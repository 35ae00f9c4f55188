package contexts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPath_GoesByEnvironment(t *testing.T) {
	cases := []struct{ config, home, want string }{
		{"/x/c.json", "/home/a", "/x/c.json"},
		{"", "/home/a", "/home/a/.config/aorta/config.json"},
		{"", "", ""},
	}
	for _, tc := range cases {
		env := map[string]string{"AORTA_CONFIG": tc.config, "HOME": tc.home}

		got, err := Path(func(k string) string { return env[k] })

		if got != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("Path with %v: got %q, %v, want %q", env, got, err, tc.want)
		}
	}
}

func TestOffer_FirstContextStaysCurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "config.json")

	for _, name := range []string{"one", "two"} {
		if err := Offer(path, name, Context{URL: "http://" + name, Token: "t"}); err != nil {
			t.Fatalf("Offer(%s): %v", name, err)
		}
	}

	got, err := Load(path)
	want := File{Current: "one", Contexts: map[string]Context{"one": {"http://one", "t"}, "two": {"http://two", "t"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("file (-want +got), %v:\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"one", "two"}, got.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestOffer_LeavesAnotherClustersNameAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")

	for _, c := range []Context{{"http://127.0.0.1:7420", "old"}, {"http://127.0.0.1:7420", "new"}, {"http://127.0.0.1:7520", "other"}, {"http://127.0.0.1:7520", "again"}} {
		if err := Offer(path, "vm", c); err != nil {
			t.Fatalf("Offer(%v): %v", c, err)
		}
	}

	got, err := Load(path)
	want := File{Current: "vm", Contexts: map[string]Context{"vm": {"http://127.0.0.1:7420", "new"}, "vm-7520": {"http://127.0.0.1:7520", "again"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("file (-want +got), %v:\n%s", err, diff)
	}
}

func TestChange_WritesForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}

	err := Offer(path, "one", Context{})

	st, statErr := os.Stat(path)
	if err != nil || statErr != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, %v, want 0600", st.Mode(), err, statErr)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".*")); len(left) > 0 {
		t.Errorf("got left-overs %v, want none", left)
	}
}

func TestChange_LosesNoneOfManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := Offer(path, fmt.Sprintf("c%02d", i), Context{}); err != nil {
				t.Errorf("Offer: %v", err)
			}
		})
	}
	all.Wait()

	f, err := Load(path)

	if err != nil || len(f.Contexts) != 20 {
		t.Errorf("got %d contexts, %v, want 20", len(f.Contexts), err)
	}
}

func TestChange_KeepsALinkedFileALink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "config.json")
	if err := os.WriteFile(real, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}

	err := Offer(link, "one", Context{})

	st, statErr := os.Lstat(link)
	f, loadErr := Load(real)
	if err != nil || statErr != nil || st.Mode()&os.ModeSymlink == 0 || loadErr != nil || len(f.Contexts) != 1 {
		t.Errorf("got %v, %v, %v, %v with %d contexts, want the link kept and its target changed", err, statErr, st.Mode(), loadErr, len(f.Contexts))
	}
}

func TestChange_ErrorWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	no := errors.New("no")

	err := Change(path, func(f *File) error { f.Current = "x"; return no })

	if _, statErr := os.Stat(path); !errors.Is(err, no) || !errors.Is(statErr, os.ErrNotExist) {
		t.Errorf("got %v and %v, want the error and no file", err, statErr)
	}
}

func TestLoad_SaysWhatIsBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte("{broken"), 0o600); err != nil {
		t.Fatal(err)
	}

	_, err := Load(path)

	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "log in again") {
		t.Errorf("got %v, want the file and the next step named", err)
	}
}
