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
	before := l.soFar().answered
	testkit.Eventually(l.p.c.tb, fmt.Sprintf("%d more answers", n), func() bool {
		return l.soFar().answered >= before+n
	})
}

// tally is how far a load is.
type tally struct {
	sent, ended int // ended are answered, or failed
	answered    int // a request that the client had to send twice too
	failed      []string
}

func (l *load) soFar() tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := tally{sent: l.sent, ended: l.sent - l.flying, answered: len(l.answers) + l.resent}
	for _, w := range l.wrong {
		if !strings.Contains(w, errResent.Error()) {
			t.failed = append(t.failed, w)
		}
	}
	return t
}

// A router's worker that is killed takes the log lines with it that it had not
// written: those of requests in flight, and of the last 200 ms where the log is
// buffered. The statistics are the log's, to the line.
func TestExact_RouterWorkerKilled(t *testing.T) {
	t.Parallel()
	for name, buffered := range map[string]bool{"buffered": true, "unbuffered": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, fmt.Sprintf("--access-log-buffered=%v", buffered), twoWorkers)
			shop := c.newApp("shop", "hello")
			shop.deploy()
			nginx := c.pidOf("nginx")

			l := shop.underLoad(rate{gets: 120})
			unlogged, unanswered := 0, 0
			for range 3 {
				l.more(50)
				since, before, after := l.killWorker(nginx)
				if !buffered {
					since = before
				}
				unlogged += after.sent - since.ended
				unanswered += after.sent - before.ended
			}
			l.more(100)
			l.halt()

			lines, end := shop.allLogged(), l.soFar()
			shop.counted(int64(lines))
			if lost := end.answered - lines; lost > unlogged {
				t.Errorf("%d of %d answers have no line, want %d at most", lost, end.answered, unlogged)
			}
			if lines > end.sent+l.resent {
				t.Errorf("got %d lines of %d requests", lines, end.sent)
			}
			if len(end.failed) > unanswered {
				t.Errorf("%d requests failed, want %d at most:\n%s", len(end.failed), unanswered, strings.Join(end.failed, "\n"))
			}
		})
	}
}

// allLogged counts the app's lines once the log has been still for longer than
// a line may wait.
func (p *project) allLogged() int {
	p.c.tb.Helper()
	lines, since := -1, time.Time{}
	testkit.Eventually(p.c.tb, "the access log to be still", func() bool {
		if now := p.logged(); now != lines {
			lines, since = now, time.Now()
		}
		return time.Now().After(since.Add(2 * bufferTime))
	})
	return lines
}

// twoWorkers is for tests in which one worker goes on while another comes or goes,
// on a machine of any number of cores.
const twoWorkers = "--router-workers=2"

// bufferTime is how long a line may wait in a worker's buffer.
const bufferTime = 200 * time.Millisecond

// killWorker kills one of the router's workers. It tells how far the load was
// when the oldest line that a buffer may hold was made, right before the kill
// and right after it.
func (l *load) killWorker(nginx int) (since, before, after tally) {
	tb := l.p.c.tb
	tb.Helper()
	workers := children(tb, nginx)
	if len(workers) != 2 {
		tb.Fatalf("got workers %v of nginx %d, want two", workers, nginx)
	}
	since, from := l.soFar(), time.Now()
	testkit.Eventually(tb, "the time that a line may wait", func() bool { return time.Now().After(from.Add(bufferTime)) })
	before = l.soFar()
	if err := syscall.Kill(workers[0], syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
	testkit.Eventually(tb, "another worker", func() bool {
		now := children(tb, nginx)
		return len(now) == 2 && now[0] != workers[0] && now[1] != workers[0]
	})
	return since, before, l.soFar()
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
	c := newCluster(t, twoWorkers)
	shop := c.newApp("shop", "hello")
	shop.deploy()

	l := shop.underLoad(rate{gets: 100})
	for range 3 {
		l.more(50)
		c.reload()
	}
	l.more(50)
	if failed := l.soFar().failed; len(failed) > 0 {
		t.Errorf("%d requests failed while nginx was reloaded:\n%s", len(failed), strings.Join(failed, "\n"))
	}
	c.stop()
	c.start()
	l.more(100)
	l.halt()

	end, lines := l.soFar(), shop.allLogged()
	shop.counted(int64(lines))
	if lines != end.answered {
		t.Errorf("got %d lines in the log, want one for each of %d answers", lines, end.answered)
	}
	if len(end.failed) == 0 {
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
	testkit.Eventually(c.tb, "two new workers", func() bool {
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
