package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/config"
	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/internal/testkit/race"
	names "aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// bin is the directory of the programs that TestMain builds: those that ship, the
// two apps and, in watched, the daemon with the race detector.
var bin string

// slots are those of the tests that have a cluster of their own. Those of the hosts
// that are shared have them in turn beside these.
var slots *testkit.Slots

// longest are the tests that take more than a minute beside others, and come first.
var longest = testkit.Order{
	"TestStorm_LeavesNothingLostDoubledOrOver",
	"TestPages_OfABusyCluster",
	"TestLab_HostsComeAndGoUnderLoad",
	"TestPages_OfABrokenCluster",
	"TestRollout_ChangesUnderLoad",
	"TestRegistry_DeploysOutliveKills",
	"TestRedis_JobsLostInTheMiddleOfADeploy",
	"TestPush_ThatFailsChangesNothing",
	"TestBrokenDisk_IsSaidAtEveryDoorAndKeepsNothingFromBeingStopped",
	"TestCatchUp_KilledAtEachStepOfADeploy",
	"TestDashboard_EmptiesAndLosesANode",
	"TestRollout_DeploysUnderLoad",
	"TestNodes_CertificatesAreRenewedUnderLoad",
}

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == keepRegistry {
		fmt.Fprintln(os.Stderr, serveRegistry(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run()) // the tests of whole clusters are skipped
	}
	slots = testkit.ParallelSlots(4, longest) // a cluster waits more than it works
	if *costsFile != "" {
		labs = newLane(1, 0) // what a fault costs is of that lab alone
	}
	testkit.WhileIdle(labs.line.Lend)
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
	// What is built as the tests and as the product are is in the build cache.
	racing, shipped := race.Flags(), []string{"-trimpath"}
	for _, b := range []struct {
		out, pkg string
		flags    []string
		env      string
	}{
		{watched + "/aortad", "aorta/cmd/aortad", racing, "CGO_ENABLED=1"},
		{"aortad", "aorta/cmd/aortad", shipped, "CGO_ENABLED=0"},
		{"aorta", "aorta/cmd/aorta", shipped, "CGO_ENABLED=0"},
		{"labctl", "aorta/scripts/labctl", shipped, "CGO_ENABLED=0"},
		{"hello", "aorta/examples/hello", shipped, "CGO_ENABLED=0"},
		{"testapp", "aorta/heart/internal/rig/testapp", shipped, "CGO_ENABLED=0"},
	} {
		args := append([]string{"build", "-ldflags=-s -w", "-o", filepath.Join(dir, b.out)}, b.flags...)
		cmd := exec.Command("go", append(args, b.pkg)...)
		cmd.Env = append(os.Environ(), b.env)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w\n%s", b.pkg, err, out)
		}
	}
	code := m.Run()
	return code, errors.Join(four.end(), besieged.end(), writeCosts())
}

// cluster is a whole cluster on this machine, for one test.
type cluster struct {
	tb     testing.TB
	dir    string
	daemon string // its program
	docker string
	api    string // base URL
	router string // base URL
	flags  []string
	cmd    *exec.Cmd
	gone   <-chan struct{}
	env    []string
	out    *os.File
	room   *lab.Room // where those are who use it; nil: in this machine's own network
}

// newCluster starts one as make up does, but for the flags that a test adds (and
// says why), and ends it with the test, instances included. Its daemon is the very
// program that ships, but in the tests of watchedTests.
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
	slots.Take(tb)
	c := &cluster{tb: tb, dir: testkit.ShortDir(tb), daemon: daemonOf(tb), docker: testkit.DockerHost()}
	api, router := testkit.FreeAddr(tb), testkit.FreeAddr(tb)
	c.api, c.router = "http://"+api, "http://"+router
	c.flags = slices.Concat([]string{"run"}, c.upFlags(api, router), flags)
	c.env = userEnv(c.dir)
	tb.Cleanup(c.end)
	return c
}

// goRace ends a daemon at its first race. The detector holds each process that ends
// for a second by default.
const goRace = "GORACE=halt_on_error=1 atexit_sleep_ms=0"

// userEnv is the environment of who uses a cluster, with a home of their own.
func userEnv(home string) []string {
	return append(os.Environ(), "AORTA_CONFIG="+home+"/client.json", "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.compression", "GIT_CONFIG_VALUE_0=0", // or most of a push is packing the app
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@test.local", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@test.local",
		goRace, "PATH="+bin+":"+os.Getenv("PATH"))
}

// skipQuick leaves what needs the built programs to the full run.
func skipQuick(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("a quick check builds no programs and starts no cluster")
	}
}

// upFlags are what make up starts the daemon with, by its own script: where its
// state lies and where it listens, which a cluster needs to live beside others.
func (c *cluster) upFlags(api, router string) []string {
	c.tb.Helper()
	if os.Getuid() != 0 {
		c.tb.Fatal("a cluster needs root, for containers and its run directory: run this test as root")
	}
	cmd := exec.Command("../../scripts/daemon-args.sh", c.docker)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "STATE="+c.dir, "LISTEN="+api, "ROUTER="+router, "DOMAIN=aorta.localhost")
	out, err := cmd.Output()
	if err != nil {
		c.tb.Fatalf("ask scripts/daemon-args.sh for the daemon's flags: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// runDir is where the sockets of this data directory lie.
func (c *cluster) runDir() string { return config.DefaultRunDir(c.dir + "/data") }

// here is what a node is called that nobody has named: by its machine.
var here = func() string {
	host, _ := os.Hostname()
	return names.NodeNameFrom(host)
}()

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
	c.cmd = exec.Command(c.daemon, c.flags...)
	c.cmd.Env = append(slices.Clone(c.env), extra...)
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.out
	c.gone = testkit.StartChild(c.tb, c.cmd)
	seen := false
	testkit.Eventually(c.tb, "the daemon to say "+line, func() bool {
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
	_ = os.RemoveAll(c.runDir()) // it stays when what has used it was killed
	log := c.log()
	if _, found, raced := strings.Cut(log, "WARNING: DATA RACE\n"); raced {
		c.tb.Errorf("the daemon has a data race:\n%.6000s", found)
	}
	if c.tb.Failed() {
		c.tb.Logf("the daemon's log:\n%s", tail(log, 6000))
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
	if name == "aorta" {
		name = filepath.Join(bin, name)
	}
	ctx := testkit.BoundedBy(c.tb, context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, c.env
	testkit.EndWhole(cmd)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	start := cmd.Run
	if c.room != nil {
		start = func() error { return c.room.Run(cmd) }
	}
	err := start()
	if err != nil && cmd.ProcessState == nil {
		c.tb.Fatalf("run %s %v: %v", name, args, err)
	}
	if ctx.Err() != nil {
		c.tb.Fatalf("%s %v hangs; it said\n%s%s", name, args, &out, &errOut)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// http is a client where those are who use the cluster.
func (c *cluster) http() *http.Client {
	if c.room == nil {
		return http.DefaultClient
	}
	return c.room.HTTP(testkit.Hang)
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
