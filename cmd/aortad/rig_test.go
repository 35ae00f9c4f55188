package main_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// bin is the directory of the programs that TestMain builds: the daemon with
// the race detector, the CLI, and the two apps.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run()) // the tests of whole clusters are skipped
	}
	testkit.Parallel(4) // a cluster waits more than it works
	code, err := buildAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAll(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "aorta-bin")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	for _, b := range []struct {
		out, pkg string
		args     []string
		env      string
	}{
		{"aortad", "aorta/cmd/aortad", []string{"-race"}, "CGO_ENABLED=1"},
		{"aorta", "aorta/cmd/aorta", []string{"-race"}, "CGO_ENABLED=1"},
		{"hello", "aorta/examples/hello", nil, "CGO_ENABLED=0"},
		{"testapp", "aorta/heart/internal/rig/testapp", nil, "CGO_ENABLED=0"},
	} {
		cmd := exec.Command("go", append(append([]string{"build", "-o", filepath.Join(dir, b.out)}, b.args...), b.pkg)...)
		cmd.Env = append(os.Environ(), b.env)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w\n%s", b.pkg, err, out)
		}
	}
	return m.Run(), nil
}

// cluster is a whole cluster on this machine, for one test.
type cluster struct {
	tb     testing.TB
	dir    string
	docker string
	api    string // base URL
	router string // base URL
	flags  []string
	cmd    *exec.Cmd
	gone   <-chan struct{}
	env    []string
	out    *os.File
}

// newCluster starts one and ends it, instances included, with the test.
func newCluster(tb testing.TB, flags ...string) *cluster {
	tb.Helper()
	c := unstarted(tb, flags...)
	c.start()
	return c
}

// unstarted is a new cluster whose daemon is still to be started.
func unstarted(tb testing.TB, flags ...string) *cluster {
	tb.Helper()
	skipQuick(tb)
	c := &cluster{tb: tb, dir: testkit.ShortDir(tb), docker: dockerHost(tb)}
	api, router := freeAddr(tb), freeAddr(tb)
	c.api, c.router = "http://"+api, "http://"+router
	c.flags = append([]string{
		"run", "--data-dir", c.dir + "/data", "--run-dir", c.dir + "/run", "--docker-host", c.docker, "--node-name", "n1",
		"--listen", api, "--router-listen", router, "--report-every", "500ms", "--router-workers", "2",
	}, flags...)
	c.env = append(os.Environ(), "AORTA_CONFIG="+c.dir+"/client.json", "HOME="+c.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@test.local", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@test.local",
		// The race detector holds each process that ends for a second by default.
		"GORACE=halt_on_error=1 atexit_sleep_ms=0", "PATH="+bin+":"+os.Getenv("PATH"))
	tb.Cleanup(c.end)
	return c
}

// skipQuick leaves what needs the built programs to the full run.
func skipQuick(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("a quick check builds no programs and starts no cluster")
	}
}

func dockerHost(tb testing.TB) string {
	for _, host := range []string{os.Getenv("AORTA_TEST_DOCKER_HOST"), os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"} {
		if host != "" {
			return host
		}
	}
	tb.Fatal("no Docker engine is named")
	return ""
}

// lastPort is the last port that freeAddr gave. They lie apart from those that
// daemons choose, that instances get and that outgoing connections take: what
// is not listened on yet must not be given twice.
var lastPort atomic.Int32

func init() { lastPort.Store(rand.Int32N(testPorts)) }

const firstTestPort, testPorts = 30000, 2500

func freeAddr(tb testing.TB) string {
	tb.Helper()
	for range testPorts {
		addr := net.JoinHostPort("127.0.0.1", fmt.Sprint(firstTestPort+lastPort.Add(1)%testPorts))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	tb.Fatal("no port is free")
	return ""
}

// start starts the daemon and waits for its last line. Extra environment is
// for this run alone.
func (c *cluster) start(extra ...string) {
	c.tb.Helper()
	if !c.startUntil("ready", extra...) {
		c.tb.Fatalf("the daemon ended before it was ready:\n%s", c.log())
	}
}

// startUntil starts the daemon and waits for a line of its output, or its end.
func (c *cluster) startUntil(line string, extra ...string) bool {
	c.tb.Helper()
	var err error
	if c.out, err = os.OpenFile(c.dir+"/aortad.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		c.tb.Fatal(err)
	}
	begin, _ := c.out.Seek(0, io.SeekEnd)
	c.cmd = exec.Command(filepath.Join(bin, "aortad"), c.flags...)
	c.cmd.Env = append(slices.Clone(c.env), extra...)
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.out
	c.gone = testkit.StartChild(c.tb, c.cmd)
	seen := false
	testkit.Eventually(c.tb, 60*time.Second, "the daemon to say "+line, func() bool {
		if c.ended() {
			return true
		}
		seen = strings.Contains(c.log()[begin:], "\n"+line+"\n") || strings.HasPrefix(c.log()[begin:], line+"\n")
		return seen
	})
	return seen
}

func (c *cluster) ended() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

func (c *cluster) log() string {
	raw, _ := os.ReadFile(c.dir + "/aortad.log")
	return string(raw)
}

// kill ends the daemon as `kill -9` does.
func (c *cluster) kill() {
	_ = c.cmd.Process.Kill()
	<-c.gone
}

// term ends the daemon as an upgrade does.
func (c *cluster) term() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	<-c.gone
}

// end stops everything and looks for what must never have happened.
func (c *cluster) end() {
	out, err := exec.Command(filepath.Join(bin, "aortad"), "stop", "--data-dir", c.dir+"/data", "--docker-host", c.docker, "--all").CombinedOutput()
	if err != nil {
		c.tb.Errorf("aortad stop --all: %v\n%s", err, out)
	}
	if log := c.log(); strings.Contains(log, "DATA RACE") || c.tb.Failed() {
		c.tb.Logf("the daemon's log:\n%s", tail(log, 6000))
		if strings.Contains(log, "DATA RACE") {
			c.tb.Error("the daemon has a data race")
		}
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// result is how a command ended.
type result struct {
	out, err string
	code     int
}

// run runs a command with the cluster's environment.
func (c *cluster) run(dir, name string, args ...string) result {
	c.tb.Helper()
	cmd := exec.Command(name, args...)
	if !strings.Contains(name, "/") && name == "aorta" {
		cmd = exec.Command(filepath.Join(bin, name), args...)
	}
	cmd.Dir, cmd.Env = dir, c.env
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		c.tb.Fatalf("run %s %v: %v", name, args, err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// aorta runs the CLI and fails the test unless it succeeds.
func (c *cluster) aorta(args ...string) string {
	c.tb.Helper()
	r := c.run(c.dir, "aorta", args...)
	if r.code != 0 {
		c.tb.Fatalf("aorta %v: exit %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// asJSON runs the CLI and reads what it prints.
func asJSON[T any](c *cluster, args ...string) T {
	c.tb.Helper()
	var v T
	if err := json.Unmarshal([]byte(c.aorta(append(args, "--json")...)), &v); err != nil {
		c.tb.Fatalf("aorta %v --json: %v", args, err)
	}
	return v
}

func (c *cluster) ps(app string) []wire.Instance { return asJSON[[]wire.Instance](c, "ps", "-a", app) }

func (c *cluster) stats(app string) wire.Stats { return asJSON[wire.Stats](c, "stats", "-a", app) }

// project is a git repository with an app in it.
type project struct {
	c    *cluster
	name string
	dir  string
}

// newApp makes an app with its repository: program is one of the built ones,
// lines are further ones of its Dockerfile.
func (c *cluster) newApp(name, program string, lines ...string) *project {
	c.tb.Helper()
	p := &project{c: c, name: name, dir: filepath.Join(c.dir, "src-"+name)}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		c.tb.Fatal(err)
	}
	binary, err := os.ReadFile(filepath.Join(bin, program))
	if err != nil {
		c.tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "app"), binary, 0o755); err != nil {
		c.tb.Fatal(err)
	}
	p.write("Dockerfile", "FROM scratch\nCOPY app /app\n"+strings.Join(append(lines, ""), "\n")+"CMD [\"/app\"]\n")
	p.git("init", "-q", "-b", "main")
	p.commit("first")
	if r := c.run(p.dir, "aorta", "apps", "create", name); r.code != 0 {
		c.tb.Fatalf("apps create %s: %s", name, r.err)
	}
	return p
}

func (p *project) write(name, text string) {
	p.c.tb.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.c.tb.Fatal(err)
	}
}

func (p *project) git(args ...string) string {
	p.c.tb.Helper()
	r := p.c.run(p.dir, "git", args...)
	if r.code != 0 {
		p.c.tb.Fatalf("git %v: exit %d\n%s%s", args, r.code, r.out, r.err)
	}
	return strings.TrimSpace(r.out)
}

// commit commits all there is, and an empty change too; it gives the id.
func (p *project) commit(message string) string {
	p.c.tb.Helper()
	p.git("add", "-A")
	p.git("commit", "-q", "--allow-empty", "-m", message)
	return p.git("rev-parse", "HEAD")
}

// push pushes main and gives what git said.
func (p *project) push() result {
	p.c.tb.Helper()
	return p.c.run(p.dir, "git", "push", "aorta", "main")
}

// deploy pushes and fails the test unless it serves.
func (p *project) deploy() string {
	p.c.tb.Helper()
	r := p.push()
	if r.code != 0 {
		p.c.tb.Fatalf("git push: exit %d\n%s", r.code, r.err)
	}
	return r.err
}

// get asks the app's own host through the router, and gives status and body.
func (p *project) get(path string) (int, string) {
	p.c.tb.Helper()
	resp, err := p.request("GET", path)
	if err != nil {
		p.c.tb.Fatalf("GET %s: %v", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.c.tb.Fatalf("GET %s: %v", path, err)
	}
	return resp.StatusCode, string(body)
}

func (p *project) request(method, path string) (*http.Response, error) {
	req, err := http.NewRequest(method, p.c.router+path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = p.name + ".aorta.localhost"
	req.Header.Set("Accept", "application/json")
	return http.DefaultClient.Do(req)
}

// release is the label of the release that answers.
func (p *project) release() string {
	p.c.tb.Helper()
	_, body := p.get("/")
	var answer struct{ Release string }
	_ = json.Unmarshal([]byte(body), &answer)
	return answer.Release
}

// containers lists the app's containers on the engine, running or not.
func (p *project) containers() []string {
	p.c.tb.Helper()
	info := asJSON[wire.App](p.c, "apps", "info", "-a", p.name)
	r := p.c.run(p.c.dir, "docker", "-H", p.c.docker, "ps", "-aq", "--no-trunc", "--filter", "label=aorta.app-id="+info.ID)
	return strings.Fields(r.out)
}
