package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

func detached() context.Context { return context.Background() }

// Whenever its maker is killed, a lab is taken away wholly by whoever comes next, and
// nothing beside it has changed.
func TestDown_AfterUpWasKilledLeavesNothing(t *testing.T) {
	t.Parallel()
	run := func(dir string) string { return "/run/aorta-lab-" + idOf(dir) }
	for name, reached := range map[string]func(dir string) bool{
		"with a record":   func(dir string) bool { return exists(dir + "/lab.json") },
		"with a switch":   func(dir string) bool { return isNamespace(run(dir) + "/net/switch") },
		"with a network":  func(dir string) bool { return isNamespace(run(dir) + "/net/n2") },
		"with an engine":  func(dir string) bool { return exists(run(dir) + "/n*/docker.pid") },
		"with a daemon":   func(dir string) bool { return exists(dir + "/n1/aortad.log") },
		"with Redis":      func(dir string) bool { return exists(dir + "/n1/data/state/redis-*.pid.json") },
		"while one joins": func(dir string) bool { return exists(dir + "/n2/data/node/node.key") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(testkit.ShortDir(t), "lab")
			in, what := outside(t)
			before := what()
			up := exec.Command(program(t, "labctl"), "up", "2")
			up.Env = append(os.Environ(), "LAB="+dir)
			up.Dir = treeWith(t)
			var said bytes.Buffer
			up.Stderr = &said
			testkit.Must(t, in(up))
			testkit.Eventually(t, "the lab to be up "+name, func() bool { return reached(dir) })
			_ = up.Process.Kill()
			_ = up.Wait()
			if len(traces(t, dir)) == 0 {
				t.Fatalf("there was nothing to take away; up said\n%s", &said)
			}

			down := exec.Command(program(t, "labctl"), "down")
			down.Env = up.Env
			out, err := down.CombinedOutput()
			if err != nil {
				t.Errorf("down: %v\n%s", err, out)
			}
			wantNothing(t, dir)
			if now := what(); now != before {
				t.Errorf("got links and rules\n%s\nwant those of before\n%s", now, before)
			}
		})
	}
}

// treeWith is a directory that has what scripts/lab finds in the repository.
func treeWith(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	scripts, err := filepath.Abs("../../../scripts")
	testkit.Must(tb, err)
	testkit.Must(tb, errors.Join(os.Symlink(scripts, dir+"/scripts"), os.Symlink(bin, dir+"/bin")))
	return dir
}

func TestLab_HostsAreKilledAndBooted(t *testing.T) {
	t.Parallel()
	o := inLab(t, 2)
	l := up(t, o)
	n2 := l.Hosts[1]
	if nodes := ask(t, l, "nodes"); strings.Count(nodes, " ready ") != 2 || !strings.Contains(nodes, "n2 ") {
		t.Fatalf("aorta nodes: got\n%s\nwant n1 and n2, both ready", nodes)
	}
	container := contain(t, n2)
	disk, err := os.ReadDir(n2.Disk())
	testkit.Must(t, err)

	testkit.Must(t, n2.Kill(testkit.Bounded(t)))

	if line, _ := os.ReadFile("/proc/" + container + "/cmdline"); len(line) > 0 {
		t.Errorf("the container of a host without power runs on as process %s", container)
	}
	if pids, err := n2.group.processes(); err != nil || len(pids) > 0 {
		t.Errorf("processes of a host without power: got %v %v, want none", pids, err)
	}
	if left := mountsOf(t, n2.Disk(), "/"+idOf(l.Dir)+"/n2/"); len(left) > 0 || n2.IsOn() || exists(n2.sockets()) {
		t.Errorf("a host without power: got the mounts %v, and it is on: %v", left, n2.IsOn())
	}
	if err := n2.Kill(testkit.Bounded(t)); err == nil || !strings.Contains(err.Error(), "off already") {
		t.Errorf("killed again: got %v, want that it is off", err)
	}
	var status bytes.Buffer
	testkit.Must(t, l.Status(testkit.Bounded(t), &status))
	if text := status.String(); strings.Count(text, " ready\n") != 1 || strings.Count(text, " off\n") != 1 {
		t.Errorf("status: got\n%s\nwant one ready and one off", text)
	}

	testkit.Must(t, n2.Boot(testkit.Bounded(t)))

	now, err := os.ReadDir(n2.Disk())
	testkit.Must(t, err)
	if got, want := strings.Join(names(now), " "), strings.Join(names(disk), " "); got != want {
		t.Errorf("the disk of a booted host: got %s, want what it had: %s", got, want)
	}
	testkit.Eventually(t, "its container to run again", func() bool { return at(t, n2, "docker", "inspect", "-f", "{{.State.Running}}", "it") == "true" })
	testkit.Eventually(t, "both nodes to be ready", func() bool { return strings.Count(ask(t, l, "nodes"), " ready ") == 2 })
	if err := n2.Boot(testkit.Bounded(t)); err == nil || !strings.Contains(err.Error(), "is on") {
		t.Errorf("booted again: got %v, want that it is on", err)
	}

	testkit.Must(t, l.Down(testkit.Bounded(t)))
	wantNothing(t, o.Dir)
	testkit.Must(t, l.Down(testkit.Bounded(t))) // again
}

// contain starts a container that the host's engine starts again at each start, and
// gives its process.
func contain(tb testing.TB, h *Host) string {
	tb.Helper()
	root := tb.TempDir()
	testkit.Must(tb, exec.CommandContext(testkit.Bounded(tb), "cp", "/bin/busybox", root+"/busybox").Run())
	testkit.Must(tb, exec.CommandContext(testkit.Bounded(tb), "tar", "-C", root, "-cf", root+"/image.tar", "busybox").Run())
	at(tb, h, "docker", "import", root+"/image.tar", "box")
	at(tb, h, "docker", "run", "-d", "--name", "it", "--restart", "always", "box", "/busybox", "sleep", "1000000")
	return at(tb, h, "docker", "inspect", "-f", "{{.State.Pid}}", "it")
}

// at runs a command on a host, and gives what it prints.
func at(tb testing.TB, h *Host, argv ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(testkit.Bounded(tb), argv[0], argv[1:]...)
	var out, said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), h.Env()...), &out, &said
	if err := h.Run(cmd); err != nil {
		tb.Fatalf("%v on %s: %v\n%s", argv, h.Name, err, &said)
	}
	return strings.TrimSpace(out.String())
}

func ask(tb testing.TB, l *Lab, args ...string) string {
	tb.Helper()
	out, err := l.Aorta(testkit.Bounded(tb), args...)
	testkit.Must(tb, err)
	return string(out)
}

func TestUp_ThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	o := inLab(t, 2)
	o.Daemon = "/bin/false"

	_, err := Up(testkit.Bounded(t), o)

	if err == nil || !strings.Contains(err.Error(), "aortad of n1: it ended while it was starting") {
		t.Errorf("got %v, want that the daemon of n1 has ended", err)
	}
	wantNothing(t, o.Dir)
}

func TestUp_RefusesAPlaceThatIsTaken(t *testing.T) {
	t.Parallel()
	l := bare(t, 1)
	other := testkit.ShortDir(t)
	testkit.Must(t, os.WriteFile(other+"/thesis.txt", nil, 0o600))
	for dir, want := range map[string]string{l.Dir: "a lab in " + l.Dir + " already", other: "holds something that is no lab"} {
		o := inLab(t, 1)
		o.Dir, o.Bare = dir, true

		_, err := Up(testkit.Bounded(t), o)

		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	moved := other + "/lab"
	testkit.Must(t, os.Mkdir(moved, 0o755))
	testkit.Must(t, exec.CommandContext(t.Context(), "cp", recordFile(l.Dir), moved).Run())
	if _, err := Open(moved, nil); err == nil || !strings.Contains(err.Error(), "move it back") {
		t.Errorf("a copy of a lab: got %v, want a refusal", err)
	}
	if _, err := os.Stat(other + "/thesis.txt"); err != nil || !l.Hosts[0].IsOn() {
		t.Errorf("what was there is gone: %v, or the first lab is: %v", err, l.Hosts[0].IsOn())
	}
}

// A lab of tests goes with the process that made it, however that ends.
func TestGuard_TakesTheLabAway(t *testing.T) {
	t.Parallel()
	l := bare(t, 2)
	testkit.Must(t, l.Hosts[0].Start(exec.Command("sleep", "infinity")))
	maker := exec.CommandContext(testkit.Bounded(t), "sleep", "infinity")
	testkit.Must(t, maker.Start())

	testkit.Must(t, l.guard([]string{program(t, "labctl"), "guard"}, maker.Process.Pid))
	_ = maker.Process.Kill()
	_ = maker.Wait()

	testkit.Eventually(t, "the lab to be gone", func() bool { return len(traces(t, l.Dir)) == 0 })
}
