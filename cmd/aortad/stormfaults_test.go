package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/internal/testkit/storm"
)

// happen begins or ends a fault. What can't be begun, since what it is about is away by
// another one, is left out; each that was begun is to end.
func (s *stormy) happen(e storm.Event) {
	s.t.Helper()
	if e.End {
		s.end(e.Fault)
		return
	}
	from := time.Now()
	if err := s.begin(e.Fault); err != nil {
		s.note("left out: %s: %v", e.Fault, err)
		return
	}
	s.note("%s", e.Fault)
	s.outages = append(s.outages, outage{Fault: e.Fault, from: from, begun: time.Now()})
}

// end ends a fault that was begun.
func (s *stormy) end(f storm.Fault) {
	s.t.Helper()
	for i := range s.outages {
		if o := &s.outages[i]; o.Fault == f && o.until.IsZero() && !o.from.Before(s.began) {
			testkit.Must(s.t, s.finish(f))
			s.note("over: %s", f)
			o.until = time.Now()
			s.awaitNewest(s.parted(f))
			o.newest = time.Now()
		}
	}
}

func (s *stormy) begin(f storm.Fault) error {
	ctx := testkit.Bounded(s.t)
	host := s.lab.Hosts[f.Host]
	switch f.Kind {
	case storm.HostKilled:
		return host.Kill(ctx)
	case storm.HostCut:
		return s.lab.Cut(ctx, lab.Cut{A: host.Name, Loud: f.Loud})
	case storm.PairCut:
		return s.lab.Cut(ctx, lab.Cut{A: host.Name, B: s.lab.Hosts[f.Other].Name, Loud: f.Loud})
	case storm.DaemonStopped:
		return host.FreezeDaemon()
	case storm.EngineKilled:
		return host.KillEngine(ctx)
	case storm.EngineStopped:
		return host.FreezeEngine()
	case storm.DaemonKilled:
		return host.KillDaemon(ctx)
	case storm.RedisKilled:
		return s.signal(host, "redis-"+f.Redis, unix.SIGKILL)
	case storm.RedisStopped:
		return s.signal(host, "redis-"+f.Redis, unix.SIGSTOP)
	case storm.WorkerKilled:
		return s.killAWorker(host)
	case storm.MasterKilled:
		return s.signal(host, "nginx", unix.SIGKILL)
	case storm.MasterStopped:
		return s.signal(host, "nginx", unix.SIGSTOP)
	}
	s.asking.Go(func() { s.change(f) })
	return nil
}

func (s *stormy) finish(f storm.Fault) error {
	ctx := testkit.Bounded(s.t)
	host := s.lab.Hosts[f.Host]
	switch f.Kind {
	case storm.HostKilled:
		return host.Boot(ctx)
	case storm.HostCut, storm.PairCut:
		return s.lab.Heal(ctx)
	case storm.DaemonStopped:
		return host.ThawDaemon()
	case storm.EngineKilled:
		return host.StartEngine(ctx)
	case storm.EngineStopped:
		return host.ThawEngine()
	case storm.DaemonKilled:
		return host.StartDaemon(ctx)
	case storm.RedisStopped:
		return s.resume(host, "redis-"+f.Redis)
	case storm.MasterStopped:
		return s.resume(host, "nginx")
	case storm.Drain:
		s.asking.Go(func() { s.undrain(host) })
	}
	return nil
}

// mend ends what has not ended by itself: hosts whose undrain nobody took.
func (s *stormy) mend() {
	s.t.Helper()
	s.asking.Wait()
	for _, host := range s.lab.Hosts {
		testkit.Eventually(s.t, host.Name+" not to be drained", func() bool {
			_, drained := s.drained.Load(host.Name)
			if drained {
				s.undrain(host)
			}
			return !drained
		})
	}
}

// signal sends a daemon that aortad manages a signal.
func (s *stormy) signal(host *lab.Host, daemon string, sig unix.Signal) error {
	pid, err := (&cluster{tb: s.t, dir: host.Disk()}).recorded(daemon)
	if err == nil && (pid == 0 || unix.Kill(pid, 0) != nil) {
		err = fmt.Errorf("no %s runs on %s", daemon, host.Name)
	}
	if err != nil {
		return err
	}
	return host.Signal(pid, sig)
}

// resume lets a daemon go on that was stopped. One that was replaced meanwhile is gone.
func (s *stormy) resume(host *lab.Host, daemon string) error {
	if err := s.signal(host, daemon, unix.SIGCONT); err != nil {
		s.note("%s of %s is not there any more: %v", daemon, host.Name, err)
	}
	return nil
}

func (s *stormy) killAWorker(host *lab.Host) error {
	nginx, err := (&cluster{tb: s.t, dir: host.Disk()}).recorded("nginx")
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", nginx, nginx))
	if err != nil {
		return err
	}
	for _, word := range strings.Fields(string(raw)) {
		if pid, err := strconv.Atoi(word); err == nil {
			return host.Signal(pid, unix.SIGKILL)
		}
	}
	return fmt.Errorf("nginx of %s has no worker", host.Name)
}

// change asks for a change as people do. Who can't be reached says so.
func (s *stormy) change(f storm.Fault) {
	var err error
	switch f.Kind {
	case storm.Deploy:
		err = s.push(f.String())
	case storm.Scale:
		_, err = s.ask("ps", "scale", "-a", "shop", fmt.Sprintf("web=%d", f.Count))
	case storm.Config:
		_, err = s.ask("config", "set", "-a", "shop", "ROUND="+strconv.Itoa(s.round)+f.Begin.String())
	case storm.Restart:
		_, err = s.ask("ps", "restart", "-a", "shop")
	case storm.Drain:
		s.drained.Store(s.lab.Hosts[f.Host].Name, true)
		_, err = s.ask("nodes", "drain", s.lab.Hosts[f.Host].Name)
	}
	if err != nil {
		s.note("%s has failed: %v", f, err)
	}
}

func (s *stormy) undrain(host *lab.Host) {
	if _, err := s.ask("nodes", "undrain", host.Name); err != nil {
		s.note("undrain %s has failed: %v", host.Name, err)
		return
	}
	s.drained.Delete(host.Name)
}

// push deploys an empty change, after who is still pushing.
func (s *stormy) push(what string) error {
	s.pushing.Lock()
	defer s.pushing.Unlock()
	for _, args := range [][]string{{"commit", "-q", "--allow-empty", "-m", what}, {"push", "aorta", "main"}} {
		cmd := exec.CommandContext(testkit.BoundedBy(s.t, context.Background()), "git", args...)
		cmd.Dir, cmd.Env = s.app.dir, s.c.env
		testkit.EndWhole(cmd)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := s.c.room.Run(cmd); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, tail(said.String(), 1000))
		}
	}
	return nil
}
