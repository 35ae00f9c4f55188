package scripts_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Parallel(3) // builds and starts take turns with waits
	os.Exit(m.Run())
}

// shipped is the cluster of `make up`, in a state and on ports of its own.
type shipped struct {
	dir    string
	router string // its address
	client string // its command line
	env    []string
}

// up runs what people run, and cleans up as they do.
func up(t *testing.T) *shipped {
	t.Helper()
	if testing.Short() {
		t.Skip("a quick check starts no cluster")
	}
	dir := testkit.ShortDir(t)
	client, err := filepath.Abs("../bin/aorta")
	if err != nil {
		t.Fatal(err)
	}
	s := &shipped{dir: dir, router: "127.0.0.1:" + testkit.FreePort(t), client: client}
	s.env = append(os.Environ(), "STATE="+dir+"/state", "LISTEN=127.0.0.1:"+testkit.FreePort(t), "ROUTER="+s.router, "DOMAIN=up.test",
		"AORTA_CONFIG="+dir+"/state/client.json", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@up.test",
		"GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@up.test", "CGO_ENABLED=0")
	t.Cleanup(func() { s.run(t, ".", "./clean.sh") })
	s.run(t, ".", "./up.sh")
	return s
}

// try runs a command and gives what it printed. It may build all there is, so
// nothing but the run of the tests as a whole bounds it.
func (s *shipped) try(tb testing.TB, dir, name string, args ...string) (string, error) {
	tb.Helper()
	out, err := os.CreateTemp(s.dir, "output") // no pipe: what outlives the command would hold it
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, s.env, out, out
	failed := cmd.Run()
	said, err := os.ReadFile(out.Name())
	if err = errors.Join(err, os.Remove(out.Name())); err != nil {
		tb.Fatal(err)
	}
	return string(said), failed
}

// run is try of a command that has to succeed.
func (s *shipped) run(tb testing.TB, dir, name string, args ...string) string {
	tb.Helper()
	said, err := s.try(tb, dir, name, args...)
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, said)
	}
	return said
}

// repository makes a folder a repository with an app of its name.
func (s *shipped) repository(tb testing.TB, dir string) {
	tb.Helper()
	s.run(tb, dir, "git", "init", "-q", "-b", "main")
	s.run(tb, dir, s.client, "apps", "create", filepath.Base(dir))
}

// push commits what is in a folder and pushes it. It gives what git printed.
func (s *shipped) push(tb testing.TB, dir string) string {
	tb.Helper()
	s.run(tb, dir, "git", "add", "-A")
	s.run(tb, dir, "git", "commit", "-q", "-m", "a version")
	return s.run(tb, dir, "git", "push", "-q", "aorta", "main")
}

// request is one for an app, by its host at the router.
func (s *shipped) request(tb testing.TB, app, method, path string) *http.Request {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, "http://"+s.router+path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	_, port, _ := strings.Cut(s.router, ":")
	req.Host = fmt.Sprintf("%s.up.test:%s", app, port)
	return req
}
