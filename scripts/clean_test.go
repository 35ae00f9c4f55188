package scripts_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// What make clean can't remove from an engine of others, it names: the state
// that knows of it is gone.
func TestClean_RemovesTheImagesOrSaysHow(t *testing.T) {
	for name, c := range map[string]struct {
		prunes []int // what the engine answers
		says   string
	}{
		"at once":                             {[]int{http.StatusOK}, ""},
		"after somebody else's prune":         {[]int{http.StatusConflict, http.StatusOK}, ""},
		"not, since the engine does not want": {[]int{http.StatusInternalServerError}, "docker images --filter label=aorta.cluster=c1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := testkit.ShortDir(t)
			asked := engineThat(t, filepath.Join(dir, "engine.sock"), c.prunes)
			for file, text := range map[string]string{
				".aorta-state": "", "stopped": "", "data/cluster.id": "c1\n",
				"data/docker.host": "unix://" + dir + "/engine.sock\n", "apps-base": "unix://" + dir + "/engine.sock\n",
			} {
				path := filepath.Join(dir, "state", file)
				testkit.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
				testkit.Must(t, os.WriteFile(path, []byte(text), 0o644))
			}
			cmd := exec.Command("./clean.sh")
			cmd.Env = append(os.Environ(), "STATE="+dir+"/state")

			said, err := cmd.CombinedOutput()

			if err != nil || c.says == "" && strings.Contains(string(said), "kept") || !strings.Contains(string(said), c.says) {
				t.Errorf("got %v and\n%s\nwant %q in it", err, said, c.says)
			}
			want := slices.Concat([]string{"GET /images/json", "DELETE /images/aorta/shop:b1", "GET /images/json"},
				slices.Repeat([]string{"POST /images/prune"}, len(c.prunes)), []string{"DELETE /images/aorta-apps-base"})
			if got := asked(); !slices.Equal(got, want) {
				t.Errorf("the engine was asked %q, want %q", got, want)
			}
			if _, err := os.Stat(dir + "/state"); !os.IsNotExist(err) {
				t.Errorf("the state: got %v, want it gone", err)
			}
		})
	}
}

// A file system of its own may be mounted where the state is to be.
func TestClean_EmptiesAMountPointAndKeepsIt(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.MountExt4(t, dir, 16)
	script := func(words string) string {
		t.Helper()
		cmd := exec.Command("bash", "-c", words)
		cmd.Env = append(os.Environ(), "STATE="+dir)
		said, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", words, err, said)
		}
		return string(said)
	}

	script("set -euo pipefail; . ./state.sh; open_state; mkdir -p $STATE/data; touch $STATE/stopped $STATE/data/f")
	said := script("./clean.sh")
	script("set -euo pipefail; . ./state.sh; open_state")

	left, err := os.ReadDir(dir)
	names := []string{}
	for _, e := range left {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, []string{".aorta-state", "lost+found"}) || !strings.Contains(said, "it stays") {
		t.Errorf("got %q left (%v) after %q, want what a new one has", names, err, said)
	}
}

// engineThat answers prunes with these statuses, and anything else with 200. It has
// one image, which the cluster built and somebody named too. What it was asked can
// be read once nobody asks any more.
func engineThat(t *testing.T, socket string, prunes []int) (asked func() []string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	testkit.Must(t, err)
	requests, answers := make(chan string, 100), make(chan int, len(prunes))
	for _, status := range prunes {
		answers <- status
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Method + " " + r.URL.Path
		switch r.URL.Path {
		case "/images/prune":
			w.WriteHeader(<-answers)
		case "/images/json":
			_, _ = io.WriteString(w, `[{"Id":"sha256:1","RepoTags":["aorta/shop:b1","mine/shop:b1"],"Labels":{"aorta.cluster":"c1"}}]`)
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return func() []string {
		close(requests)
		var all []string
		for r := range requests {
			all = append(all, r)
		}
		return all
	}
}
