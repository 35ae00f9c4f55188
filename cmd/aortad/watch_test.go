package main_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/testkit"
)

// What hangs is named by the command line, the readiness and the metrics, in the
// same words, until it goes on.
func TestStatus_NamesWhatHangs(t *testing.T) {
	t.Parallel()
	proxy := testkit.NewEngineProxy(t, testkit.DockerHost())
	c := newCluster(t, "--docker-host", proxy.Host)
	testkit.Eventually(t, "a cluster in order", c.healthy)

	for _, part := range []struct {
		name, says   string
		hang, resume func()
	}{
		{name: "routes Redis", says: "The routes Redis does not answer", hang: c.hang("redis-routes"), resume: c.resume("redis-routes")},
		{name: "jobs Redis", says: "The jobs Redis does not answer", hang: c.hang("redis-jobs"), resume: c.resume("redis-jobs")},
		{name: "statistics Redis", says: "The statistics Redis does not answer", hang: c.hang("redis-stats"), resume: c.resume("redis-stats")},
		{name: "routes replica", says: "The routes replica does not answer", hang: c.hang("redis-routes-replica"), resume: c.resume("redis-routes-replica")},
		{name: "router", says: "The router does not answer requests on", hang: c.hang("nginx"), resume: c.resume("nginx")},
		{name: "router", says: "The router's nginx serves, but its master, process", hang: c.hangAlone("nginx"), resume: c.resume("nginx")},
		{name: "Docker engine", says: "The Docker engine at " + proxy.Host + " did not answer in time", hang: proxy.Cut, resume: proxy.Restore},
	} {
		part.hang()

		testkit.Eventually(t, part.name+" to be named", func() bool {
			return strings.Contains(c.aorta("status"), part.says)
		})
		status, roles := c.readyz()
		if metrics := c.metrics(); status != 503 || !strings.Contains(roles, part.says) || !strings.Contains(metrics, fmt.Sprintf("aorta_part_up{part=%q} 0", part.name)) {
			t.Errorf("%s: readyz said %d %s, and the metrics\n%s", part.name, status, roles, grep(metrics, "aorta_part_up"))
		}

		part.resume()
		testkit.Eventually(t, "a cluster in order after "+part.name, c.healthy)
	}
}

// healthy says that neither people nor programs are told of anything.
func (c *cluster) healthy() bool {
	code, _ := c.readyz()
	return code == 200 && strings.Contains(c.aorta("status"), "● healthy") && !strings.Contains(c.metrics(), "aorta_part_up{part=\"router\"} 0")
}

// metrics is what the daemon's metrics say.
func (c *cluster) metrics() string {
	c.tb.Helper()
	resp, err := c.http().Get(c.api + "/metrics")
	if err != nil {
		c.tb.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	testkit.Must(c.tb, err)
	return string(raw)
}

func grep(text, part string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// hang stops a managed daemon with all its children; resume lets them go on.
func (c *cluster) hang(name string) func() { return func() { c.signalAll(name, syscall.SIGSTOP) } }

// hangAlone stops one without its children.
func (c *cluster) hangAlone(name string) func() {
	return func() { testkit.Must(c.tb, syscall.Kill(c.pidOf(name), syscall.SIGSTOP)) }
}

func (c *cluster) resume(name string) func() { return func() { c.signalAll(name, syscall.SIGCONT) } }

func (c *cluster) signalAll(name string, sig syscall.Signal) {
	c.tb.Helper()
	var failed error
	own := c.pidOf(name)
	for _, pid := range family(own) {
		if err := syscall.Kill(pid, sig); pid == own || err != syscall.ESRCH { // a child may have ended
			failed = errors.Join(failed, err)
		}
	}
	testkit.Must(c.tb, failed)
}

// family is a process with its children.
func family(pid int) []int {
	list := []int{pid}
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range found {
		raw, _ := os.ReadFile(path) // empty: it has ended meanwhile
		var child, parent int
		var state string
		_, rest, _ := strings.Cut(string(raw), ") ")
		_, _ = fmt.Sscan(string(raw), &child)
		if _, err := fmt.Sscan(rest, &state, &parent); err == nil && parent == pid {
			list = append(list, child)
		}
	}
	return list
}
