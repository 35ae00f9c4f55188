package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit"
)

// Each request counts once though the daemon is killed while it is asked for.
func TestExact_DaemonKilledUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()

	l := shop.underLoad(rate{gets: 80, posts: 20})
	for range 2 {
		l.more(100)
		c.kill()
		l.more(100)
		c.start()
	}

	l.end(0)
}

// more waits until so many further requests were answered.
func (l *load) more(n int) {
	l.p.c.tb.Helper()
	before, _ := l.soFar()
	testkit.Eventually(l.p.c.tb, 60*time.Second, fmt.Sprintf("%d more answers", n), func() bool {
		answered, _ := l.soFar()
		return answered >= before+n
	})
}

// soFar counts the good answers, and what is on its way.
func (l *load) soFar() (answered, flying int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answers), l.flying
}

// A router's worker that is killed takes the log lines with it that it had not
// written: those of requests in flight, and of the last 200 ms where the log is
// buffered. The statistics are the log's, to the line.
func TestExact_RouterWorkerKilled(t *testing.T) {
	t.Parallel()
	for name, buffered := range map[string]bool{"buffered": true, "unbuffered": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, fmt.Sprintf("--access-log-buffered=%v", buffered))
			shop := c.newApp("shop", "hello")
			shop.deploy()
			nginx := c.pidOf("nginx")

			l := shop.underLoad(rate{gets: 100, posts: 20})
			atRisk := 0
			for range 3 {
				l.more(50)
				atRisk += l.killWorker(nginx, buffered)
			}
			l.more(100)
			l.halt()

			lines := shop.allLogged()
			shop.counted(int64(lines))
			if lost := len(l.answers) - lines; lost > atRisk {
				t.Errorf("%d of %d answers have no line, want %d at most", lost, len(l.answers), atRisk)
			}
			if lines > l.sent {
				t.Errorf("got %d lines of %d requests", lines, l.sent)
			}
			if len(l.wrong) > atRisk {
				t.Errorf("%d requests failed, want %d at most, such as:\n%s", len(l.wrong), atRisk, strings.Join(l.wrong[:min(5, len(l.wrong))], "\n"))
			}
		})
	}
}

// allLogged counts the app's lines once the log has been still for longer than
// a line may wait.
func (p *project) allLogged() int {
	p.c.tb.Helper()
	lines, since := -1, time.Time{}
	testkit.Eventually(p.c.tb, 20*time.Second, "the access log to be still", func() bool {
		if now := p.logged(); now != lines {
			lines, since = now, time.Now()
		}
		return time.Since(since) > 2*bufferTime
	})
	return lines
}

// bufferTime is how long a line may wait in a worker's buffer.
const bufferTime = 200 * time.Millisecond

// killWorker kills one of the router's workers and gives how many answers may
// have lost their lines by it: those in flight on any worker, and where the log
// is buffered those of the last 200 ms.
func (l *load) killWorker(nginx int, buffered bool) int {
	tb := l.p.c.tb
	tb.Helper()
	before, _ := l.soFar()
	from := time.Now()
	testkit.Eventually(tb, 10*time.Second, "the time that a line may wait", func() bool {
		if !buffered {
			before, _ = l.soFar()
		}
		return time.Since(from) > bufferTime
	})
	workers := children(tb, nginx)
	if len(workers) != 2 {
		tb.Fatalf("got workers %v of nginx %d, want two", workers, nginx)
	}
	if err := syscall.Kill(workers[0], syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
	after, flying := l.soFar()
	testkit.Eventually(tb, 10*time.Second, "another worker", func() bool {
		now := children(tb, nginx)
		return len(now) == 2 && now[0] != workers[0] && now[1] != workers[0]
	})
	return after - before + flying
}

// children lists the processes that a process has started.
func children(tb testing.TB, pid int) []int {
	tb.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		tb.Fatal(err)
	}
	var pids []int
	for _, field := range strings.Fields(string(raw)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			tb.Fatal(err)
		}
		pids = append(pids, n)
	}
	return pids
}

// pidOf is the process of a managed daemon.
func (c *cluster) pidOf(name string) int {
	c.tb.Helper()
	pid, err := c.recorded(name)
	if err != nil || pid == 0 {
		c.tb.Fatalf("the process of %s: got %d, %v", name, pid, err)
	}
	return pid
}

// recorded is a managed daemon's process, 0 while none is there.
func (c *cluster) recorded(name string) (int, error) {
	var record struct{ Process struct{ Pid int } }
	raw, err := os.ReadFile(filepath.Join(c.dir, "data/state", name+".pid.json"))
	if err == nil {
		err = json.Unmarshal(raw, &record)
	}
	return record.Process.Pid, err
}

// Reloading nginx fails no request, and neither that nor stopping everything
// and starting it again leaves an answer without its line.
func TestExact_ReloadAndRestartOfTheRouter(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()

	l := shop.underLoad(rate{gets: 100})
	for range 3 {
		l.more(50)
		c.reload()
	}
	got := len(l.end(0))

	l = shop.underLoad(rate{gets: 100})
	l.more(50)
	c.stop()
	c.start()
	l.more(100)
	l.halt()
	got += len(l.answers)
	shop.counted(int64(got))
	if lines := shop.allLogged(); lines != got {
		t.Errorf("got %d lines in the log, want one for each of %d answers", lines, got)
	}
	if len(l.wrong) == 0 {
		t.Error("no request failed while everything was stopped, want some: was it?")
	}
}

// reload lets nginx read its configuration anew, and waits until it has
// workers that were not there before.
func (c *cluster) reload() {
	c.tb.Helper()
	nginx := c.pidOf("nginx")
	before := map[int]bool{}
	for _, pid := range children(c.tb, nginx) {
		before[pid] = true
	}
	if err := syscall.Kill(nginx, syscall.SIGHUP); err != nil {
		c.tb.Fatal(err)
	}
	testkit.Eventually(c.tb, 30*time.Second, "two new workers", func() bool {
		fresh := 0
		for _, pid := range children(c.tb, nginx) {
			if !before[pid] {
				fresh++
			}
		}
		return fresh == 2
	})
}

// stop ends the daemon and what it manages, and leaves the instances.
func (c *cluster) stop() {
	c.tb.Helper()
	if out, err := exec.Command(filepath.Join(bin, "aortad"), "stop", "--data-dir", c.dir+"/data").CombinedOutput(); err != nil {
		c.tb.Fatalf("aortad stop: %v\n%s", err, out)
	}
	<-c.gone
}
