package lab

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aorta/internal/config"
	"aorta/internal/testkit"
)

// bin has the programs as they ship, and that of scripts/lab.
var bin string

func TestMain(m *testing.M) {
	testkit.Parallel(4)
	code, err := buildAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAll(m *testing.M) (int, error) {
	if testing.Short() {
		return m.Run(), nil // what needs programs is skipped
	}
	dir, err := os.MkdirTemp("", "aorta-lab-bin")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir, "aorta/cmd/aortad", "aorta/cmd/aorta", "aorta/scripts/labctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// program is one of those that were built, for tests that start hosts.
func program(tb testing.TB, name string) string {
	tb.Helper()
	needsRoot(tb)
	return filepath.Join(bin, name)
}

func needsRoot(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("a quick check builds no programs and makes no lab")
	}
	if os.Getuid() != 0 {
		tb.Fatal("a lab needs root, for its networks and engines: run this test as root")
	}
}

// inLab are options of a lab that ends with the test, in a directory of its own.
func inLab(tb testing.TB, hosts int) Options {
	tb.Helper()
	dir := filepath.Join(testkit.ShortDir(tb), "lab")
	return Options{
		Dir: dir, Tree: "../../..", Daemon: program(tb, "aortad"), Client: program(tb, "aorta"), Hosts: Specs(hosts),
		Guard: []string{program(tb, "labctl"), "guard"},
	}
}

// up makes a lab, and takes it away with the test.
func up(tb testing.TB, o Options) *Lab {
	tb.Helper()
	l, err := Up(testkit.Bounded(tb), o)
	testkit.Must(tb, err)
	tb.Cleanup(func() { testkit.Must(tb, l.Down(testkit.BoundedBy(tb, detached()))) })
	return l
}

// bare is a lab of networks alone.
func bare(tb testing.TB, hosts int) *Lab {
	tb.Helper()
	o := inLab(tb, hosts)
	o.Bare = true
	return up(tb, o)
}

// traces are what the lab in a directory has on this machine: processes, mounts,
// control groups and files.
func traces(tb testing.TB, dir string) []string {
	tb.Helper()
	dir, err := place(dir)
	testkit.Must(tb, err)
	id := idOf(dir)
	found := slices.Concat(mountsOf(tb, dir, id), processesOf(tb, dir, id))
	for _, pattern := range []string{dir + "/*", "/run/aorta-lab-" + id, groupsRoot + "/*/aorta-lab-" + id, groupsRoot + "/aorta-lab-" + id} {
		paths, err := filepath.Glob(pattern)
		testkit.Must(tb, err)
		found = append(found, paths...)
	}
	for place := range maxHosts {
		run := config.DefaultRunDir(fmt.Sprintf("%s/n%d/data", dir, place))
		if _, err := os.Stat(run); err == nil {
			found = append(found, run)
		}
	}
	return found
}

func mountsOf(tb testing.TB, dir, id string) (found []string) {
	tb.Helper()
	raw, err := os.ReadFile("/proc/self/mountinfo")
	testkit.Must(tb, err)
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, dir+"/") || strings.Contains(line, id) {
			found = append(found, "mount "+line)
		}
	}
	return found
}

// processesOf finds those that are in the lab's group, or were started with its paths,
// but for its guard.
func processesOf(tb testing.TB, dir, id string) (found []string) {
	tb.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	testkit.Must(tb, err)
	for _, proc := range all {
		group, _ := os.ReadFile(proc + "/cgroup")
		line, _ := os.ReadFile(proc + "/cmdline")
		cwd, _ := os.Readlink(proc + "/cwd")
		text := strings.ReplaceAll(string(line), "\x00", " ")
		status, _ := os.ReadFile(proc + "/status")
		if strings.Contains(text, " guard ") || strings.Contains(string(status), "\nState:\tZ") { // one that has ended
			continue
		}
		if strings.Contains(string(group)+text, id) || strings.Contains(text+cwd+"/", dir+"/") {
			found = append(found, "process "+filepath.Base(proc)+": "+text)
		}
	}
	return found
}

// wantNothing checks that a lab has left nothing.
func wantNothing(tb testing.TB, dir string) {
	tb.Helper()
	if left := traces(tb, dir); len(left) > 0 {
		tb.Errorf("the lab has left %d things:\n%s", len(left), strings.Join(left, "\n"))
	}
}

// outside is a network of its own for what a test starts, and what is in it: links
// and rules. Others change those of the machine all the time.
func outside(tb testing.TB) (in func(*exec.Cmd) error, what func() string) {
	tb.Helper()
	r := &Room{Name: "outside", pin: filepath.Join(tb.TempDir(), "net")}
	testkit.Must(tb, r.raise())
	tb.Cleanup(func() { testkit.Must(tb, r.fall()) })
	in = func(cmd *exec.Cmd) error { return r.inside(cmd.Start) }
	what = func() string {
		var text strings.Builder
		for _, argv := range [][]string{{"ip", "-o", "link"}, {"ip", "-o", "address"}, {"iptables-save"}, {"ip6tables-save"}, {"cat", "/proc/sys/net/ipv4/ip_forward"}} {
			cmd := exec.CommandContext(testkit.Bounded(tb), argv[0], argv[1:]...)
			cmd.Stdout, cmd.Stderr = &text, &text
			testkit.Must(tb, r.inside(cmd.Run))
		}
		return text.String()
	}
	return in, what
}

// exists says whether there is a file of that pattern.
func exists(pattern string) bool {
	found, _ := filepath.Glob(pattern)
	return len(found) > 0
}

// isNamespace says whether a file keeps a network.
func isNamespace(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Type == unix.NSFS_MAGIC
}

// names lists a directory.
func names(entries []fs.DirEntry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
