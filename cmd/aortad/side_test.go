package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// managed gives the process ids of the cluster's Redis servers and nginx, by
// name, from what its daemon keeps on disk.
func (c *cluster) managed() map[string]int {
	c.tb.Helper()
	files, err := filepath.Glob(c.dir + "/data/state/*.pid.json")
	if err != nil {
		c.tb.Fatal(err)
	}
	pids := map[string]int{}
	for _, f := range files {
		var rec struct {
			Name    string
			Process struct{ Pid int }
		}
		raw, err := os.ReadFile(f)
		if err == nil {
			err = json.Unmarshal(raw, &rec)
		}
		if err != nil {
			c.tb.Fatal(err)
		}
		pids[rec.Name] = rec.Process.Pid
	}
	return pids
}

// lives says that a process is there, and no zombie that nobody has reaped.
func lives(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// wantManaged checks that all of them live, or none.
func wantManaged(tb testing.TB, pids map[string]int, alive bool) {
	tb.Helper()
	for name, pid := range pids {
		if lives(pid) != alive {
			tb.Errorf("%s, process %d: got alive %v, want %v", name, pid, !alive, alive)
		}
	}
}

// engine asks Docker and gives the words of its answer.
func (c *cluster) engine(args ...string) []string {
	c.tb.Helper()
	r := c.run(c.dir, "docker", append([]string{"-H", c.docker}, args...)...)
	if r.code != 0 {
		c.tb.Fatalf("docker %v: %s", args, r.err)
	}
	return strings.Fields(r.out)
}

// owned lists what a cluster has on the engine, whether or not its API answers.
func (c *cluster) owned(cluster string) (containers, networks []string) {
	c.tb.Helper()
	filter := "label=aorta.cluster=" + cluster
	return c.engine("ps", "-aq", "--no-trunc", "--filter", filter), c.engine("network", "ls", "-q", "--filter", filter)
}

func (c *cluster) id() string { return asJSON[wire.Status](c, "status").Cluster }

func TestStop_LeavesOtherClustersAlone(t *testing.T) {
	t.Parallel()
	one, two := newCluster(t), newCluster(t)
	first, second := one.newApp("shop", "hello"), two.newApp("shop", "hello")
	first.deploy()
	second.deploy()
	oneID, mine, others := one.id(), one.managed(), two.managed()
	if len(mine) != 5 || len(others) != 5 {
		t.Fatalf("got managed daemons %v and %v, want nginx and four Redis servers each", mine, others)
	}
	wantManaged(t, mine, true)
	before := second.containers()

	out := one.run(one.dir, filepath.Join(bin, "aortad"), "stop", "--data-dir", one.dir+"/data", "--docker-host", one.docker, "--all")

	if out.code != 0 || !strings.Contains(out.out, "the daemon has ended") || !strings.Contains(out.out, "1 instances are stopped and removed") {
		t.Errorf("aortad stop --all: exit %d\n%s%s", out.code, out.out, out.err)
	}
	wantManaged(t, mine, false)
	if containers, networks := one.owned(oneID); len(containers)+len(networks) > 0 {
		t.Errorf("got containers %v and networks %v of the stopped cluster, want none", containers, networks)
	}
	testkit.Eventually(t, "its daemon to be gone", one.ended)
	wantManaged(t, others, true)
	if now := two.managed(); fmt.Sprint(now) != fmt.Sprint(others) {
		t.Errorf("got the other cluster's daemons %v, want the same as before: %v", now, others)
	}
	if now := second.containers(); strings.Join(now, " ") != strings.Join(before, " ") {
		t.Errorf("got the other cluster's containers %v, want %v", now, before)
	}
	second.serve(20)
	second.counted(20)
}

func TestStop_WithoutADaemon(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	id, daemons, before := c.id(), c.managed(), shop.containers()
	aortad := filepath.Join(bin, "aortad")

	// A second daemon of the data directory is refused and harms nothing.
	r := c.run(c.dir, aortad, c.flags...)
	if want := fmt.Sprintf("process %d ", c.cmd.Process.Pid); r.code != 3 || !strings.Contains(r.err, want) || !strings.Contains(r.err, c.dir+"/data") {
		t.Errorf("a second daemon: exit %d\n%s\nwant exit 3 and %q in it", r.code, r.err, want)
	}
	shop.serve(5)

	c.kill()
	wantManaged(t, daemons, true)
	shop.serve(5)
	r = c.run(c.dir, aortad, "stop", "--data-dir", c.dir+"/data")
	if r.code != 0 || !strings.Contains(r.out, "managed Redis and nginx are stopped") {
		t.Errorf("aortad stop: exit %d\n%s%s", r.code, r.out, r.err)
	}
	wantManaged(t, daemons, false)
	if left, _ := c.owned(id); strings.Join(left, " ") != strings.Join(before, " ") {
		t.Errorf("got containers %v after a stop without --all, want %v", left, before)
	}
	if r := c.run(c.dir, aortad, "stop", "--data-dir", c.dir+"/data"); r.code != 0 {
		t.Errorf("a second stop: exit %d\n%s", r.code, r.err)
	}

	c.start()
	testkit.Eventually(t, "the app to be served again", func() bool {
		status, _ := shop.get("/healthz")
		return status == 200
	})
	if now := shop.containers(); strings.Join(now, " ") != strings.Join(before, " ") {
		t.Errorf("got containers %v, want the same as before: %v", now, before)
	}
}

func TestStop_RefusesWhatIsNotThere(t *testing.T) {
	skipQuick(t)
	t.Parallel()
	dir := testkit.ShortDir(t)
	c := &cluster{tb: t, dir: dir, env: os.Environ()}
	aortad := filepath.Join(bin, "aortad")

	if r := c.run(dir, aortad, "stop", "--data-dir", dir+"/nowhere"); r.code != 1 || !strings.Contains(r.err, dir+"/nowhere") {
		t.Errorf("a missing data directory: exit %d\n%s", r.code, r.err)
	}
	if r := c.run(dir, aortad, "stop"); r.code != 2 || !strings.Contains(r.err, "--data-dir") {
		t.Errorf("no data directory: exit %d\n%s", r.code, r.err)
	}
}
