package heart_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aorta/heart"
	"aorta/heart/docker"
	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

func TestHeart_StartsAndStopsAnInstance(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.want("serve", nil)
	first := forInstance(id)

	if _, err := n.StartInstance(t.Context(), first); err != nil {
		t.Fatalf("start: %v", err)
	}
	if _, err := n.StartInstance(t.Context(), forInstance(id)); err != nil {
		t.Errorf("start again: got %v, want the one that runs", err)
	}
	spec := l.pace.specs[id]
	resp, err := http.Get("http://" + net.JoinHostPort(n.Address(), fmt.Sprint(spec.Port)))
	if err != nil {
		t.Fatalf("ask the instance: %v", err)
	}
	_ = resp.Body.Close()
	l.eventually("the report to say running", func() bool { return l.pace.status(id).State == cluster.InstanceRunning })
	file := filepath.Join(l.cfg.DataDir, "instances", string(id)+".json")
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the spec's file: got %v, %v; want mode 0600", st, err)
	}
	for range 2 {
		if _, err := n.StopInstance(t.Context(), forInstance(id)); err != nil {
			t.Fatalf("stop: %v", err)
		}
	}

	if _, err := l.engine.Inspect(t.Context(), id); !errors.Is(err, docker.ErrNoContainer) {
		t.Errorf("its container: got %v, want none", err)
	}
	l.eventually("the report to say gone", func() bool { return l.pace.status(id).Gone })
	want := "running crashing=false restarts=0 gone=false; "
	if got := l.pace.history(id); !strings.Contains(got, want) || !strings.HasSuffix(got, "stopped crashing=false restarts=0 gone=true") {
		t.Errorf("reported %s; want %s… and stopped, gone last", got, want)
	}
	l.pace.set(func() {
		if got := fmt.Sprint(l.pace.lines); !strings.Contains(got, "stopped by SIGTERM") {
			t.Errorf("shipped lines lack the last one: %s", got)
		}
	})
	if data, err := os.ReadFile(file); err != nil || strings.Contains(string(data), "canary") {
		t.Errorf("the ended instance's file still holds its secrets: %s, %v", data, err)
	}
}

func TestHeart_ReportsWhatAnInstanceUses(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := l.running(l.start(), "serve", nil)

	l.eventually("memory and cores in a report", func() bool {
		s := l.pace.status(id)
		return s.Memory > 0 && s.CPU != nil
	})

	if got, limit := l.pace.status(id), int64(64<<20); got.Memory > limit || *got.CPU > 8 {
		t.Errorf("got %d bytes and %g cores, want less than its limit of %d and a few", got.Memory, *got.CPU, limit)
	}
}

func TestHeart_NamesWhyAStartFailed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	taken := rig.FreePort(t)
	other, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", taken))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	soon := func(s *cluster.InstanceSpec) { s.Health.StartTimeout = 2 * time.Second }
	// What shows only once the app has come up needs more than a busy machine takes for that.
	later := func(s *cluster.InstanceSpec) { s.Health.StartTimeout = 15 * time.Second }
	// What is known to come to nothing is not waited for.
	never := func(s *cluster.InstanceSpec) { s.Health.StartTimeout = time.Hour }
	cases := []struct {
		mode   string
		change func(*cluster.InstanceSpec)
		want   []string
	}{
		{"exit:3", nil, []string{"exited with code 3", "no database at DATABASE_URL"}},
		{"silent", soon, []string{"did not listen on PORT (5000) within its start timeout of 2s"}},
		{"loopback", never, []string{"listens on 127.0.0.1:5000 inside its container only; listen on 0.0.0.0"}},
		{"port:8080", later, []string{":8080, not on PORT (5000)"}},
		{"status:500", func(s *cluster.InstanceSpec) { later(s); s.Health.Path = "/up" }, []string{"GET /up answered 500, not 2xx or 3xx"}},
		{"memory", func(s *cluster.InstanceSpec) { s.Limits.Memory = 16 << 20 }, []string{"ran out of memory", "limit of 16m", "--memory 32m"}},
		{"serve", func(s *cluster.InstanceSpec) {
			s.Image = cluster.Image{Ref: "aorta/gone:1", ID: "sha256:" + strings.Repeat("1", 64)}
		}, []string{"image is missing", "deploy the app again"}},
		{"serve", func(s *cluster.InstanceSpec) { s.Command = "./server" }, []string{"no /bin/sh"}},
		{"serve", func(s *cluster.InstanceSpec) { s.Command = `["/nothing"]` }, []string{"exited with code 127"}},
		{"serve", func(s *cluster.InstanceSpec) { s.Port = taken }, []string{"port is taken by another program"}},
		{"serve", func(s *cluster.InstanceSpec) { s.Port = 80 }, []string{"port 80 is outside this node's range"}},
	}
	var wg sync.WaitGroup
	for _, c := range cases {
		id := l.want(c.mode, c.change)
		wg.Go(func() {
			run := forInstance(id)
			_, err := n.StartInstance(t.Context(), run)

			if err == nil || !jobs.IsPermanent(err) {
				t.Errorf("%s: got %v, want a permanent error", c.mode, err)
				return
			}
			told := err.Error() + "\n" + strings.Join(run.Lines(), "\n")
			for _, want := range c.want {
				if n := strings.Count(told, want); n != 1 {
					t.Errorf("%s: got %q, want %q in it once, in its error or its log", c.mode, told, want)
				}
			}
			l.eventually("the failure to be reported, and its container to go", func() bool {
				s := l.pace.status(id)
				return s.State == cluster.InstanceFailed && s.Gone && s.Error != ""
			})
		})
	}
	wg.Wait()

	if list, err := l.engine.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("containers left: got %v, %v; want none", list, err)
	}
}

func TestHeart_AdoptsItsContainersAfterARestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	before := l.inspect(id)
	n.kill()
	l.pace.set(func() { l.pace.away = true })

	for range 3 {
		l.start().kill()
	}
	l.start()
	l.pace.set(func() { l.pace.away = false })

	l.eventually("a new report", func() bool {
		return l.pace.status(id).State == cluster.InstanceRunning && l.pace.lastReport().Counter > 1
	})
	if after := l.inspect(id); after.Pid != before.Pid || !after.StartedAt.Equal(before.StartedAt) {
		t.Errorf("got process %d since %s, want %d since %s", after.Pid, after.StartedAt, before.Pid, before.StartedAt)
	}
	if got := l.pace.status(id); got.Restarts != 0 || got.Crashing {
		t.Errorf("got %+v, want no restart", got)
	}
}

func TestHeart_StartsAListWithoutAShell(t *testing.T) {
	t.Parallel()
	l := newLab(t) // whose image has none
	id := l.running(l.start(), "serve", func(s *cluster.InstanceSpec) { s.Command = `["/testapp", "two words"]` })

	got := l.inspect(id)

	if !got.Running {
		t.Errorf("got %+v, want it to run", got)
	}
}

func TestHeart_RestartsACrashedProcessInPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	before := l.inspect(id)
	l.pace.set(func() { l.pace.away = true }) // it needs nobody for that
	if err := syscall.Kill(before.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	l.eventually("another process", func() bool {
		c := l.inspect(id)
		return c.Running && c.Pid != before.Pid
	})
	l.pace.set(func() { l.pace.away = false })

	l.eventually("the report of its recovery", func() bool {
		s := l.pace.status(id)
		return s.State == cluster.InstanceRunning && s.Restarts == 1 && !s.Crashing && s.Error == ""
	})
	if err := syscall.Kill(l.inspect(id).Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.eventually("the end of crashing to be reported", func() bool {
		return strings.HasSuffix(l.pace.history(id), "running crashing=false restarts=2 gone=false")
	})
	_, since, _ := strings.Cut(l.pace.history(id), "running crashing=false restarts=1 gone=false")
	if !strings.Contains(since, "running crashing=true") { // with one restart, two, or both: reports tell of states
		t.Errorf("got the history %q, want crashing in it after the first recovery", l.pace.history(id))
	}
}

func TestHeart_StartsItsRecordedSetWhileThePacemakerIsAway(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	stopped := l.running(n, "serve", nil)
	removed := l.running(n, "serve", nil)
	n.kill()
	l.pace.set(func() { l.pace.away = true })
	if err := l.engine.Signal(t.Context(), stopped, "SIGKILL"); err != nil {
		t.Fatal(err)
	}
	if err := l.engine.Remove(t.Context(), removed); err != nil {
		t.Fatal(err)
	}

	l.start()

	for _, id := range []cluster.ID{stopped, removed} {
		l.eventually("a running container again", func() bool {
			c, err := l.engine.Inspect(t.Context(), id)
			return err == nil && c.Running
		})
	}
}

func TestHeart_KillsWhatIgnoresSIGTERMAfterItsGrace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "stubborn", func(s *cluster.InstanceSpec) { s.StopGrace = time.Second })

	began := time.Now()
	_, err := n.StopInstance(t.Context(), forInstance(id))

	if ended := time.Now(); err != nil || ended.Before(began.Add(time.Second)) {
		t.Errorf("stopped after %s, %v; want its grace of 1 s first", ended.Sub(began), err)
	}
}

func TestHeart_FinishesAStopThatItsPredecessorBegan(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "stubborn", func(s *cluster.InstanceSpec) { s.StopGrace = 2 * time.Second })
	l.pace.set(func() { l.pace.answer.Stop = []cluster.ID{id} })
	l.eventually("SIGTERM", func() bool { return l.pace.status(id).State == cluster.InstanceDraining })
	n.kill()
	l.pace.set(func() { l.pace.answer.Stop = nil })

	l.start()

	l.eventually("its end", func() bool { return l.pace.status(id).Gone })
}

func TestHeart_RefusesAPortInQuarantine(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	first := l.running(n, "serve", nil)
	port := l.pace.specs[first].Port
	if _, err := n.StopInstance(t.Context(), forInstance(first)); err != nil {
		t.Fatal(err)
	}

	second := l.want("serve", func(s *cluster.InstanceSpec) { s.Port = port })
	_, err := n.StartInstance(t.Context(), forInstance(second))

	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %d was released", port)) {
		t.Errorf("got %v, want the port refused", err)
	}
}

func TestHeart_AppliesAnswers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start()
	id, late := l.want("serve", nil), cluster.NewID()

	l.pace.set(func() { l.pace.answer = cluster.ReportAnswer{Epoch: 5, Revision: 7, Start: []cluster.ID{id, late}} })
	l.eventually("it to run and the set to count as applied", func() bool {
		return l.pace.status(id).State == cluster.InstanceRunning && l.pace.lastReport().Epoch == 5 && l.pace.lastReport().Revision == 7
	})
	l.eventually("the late one to be reported gone", func() bool { return l.pace.status(late).Gone })
	l.pace.set(func() { l.pace.answer = cluster.ReportAnswer{Epoch: 4, Revision: 9, Stop: []cluster.ID{id}} })
	seen := l.pace.answered()
	l.eventually("five more reports", func() bool { return l.pace.answered() > seen+5 })
	if got := l.pace.status(id); got.State != cluster.InstanceRunning {
		t.Errorf("an outdated answer was applied: %+v", got)
	}
	l.pace.set(func() {
		l.pace.answer = cluster.ReportAnswer{Epoch: 5, Revision: 8, Stop: []cluster.ID{id}, Forget: []cluster.ID{late}}
	})
	l.eventually("it to be gone", func() bool { return l.pace.status(id).Gone })
	l.pace.set(func() { l.pace.answer = cluster.ReportAnswer{Epoch: 5, Revision: 9, Forget: []cluster.ID{id, late}} })

	l.eventually("an empty set", func() bool { return l.pace.knows() == 0 })
	if files, err := os.ReadDir(filepath.Join(l.cfg.DataDir, "instances")); err != nil || len(files) != 0 {
		t.Errorf("records left: got %v, %v; want none", files, err)
	}
}

func TestHeart_ReportsAStrayContainerAndLeavesItAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	id := l.running(n, "serve", nil)
	n.kill()
	if err := os.RemoveAll(filepath.Join(l.cfg.DataDir, "instances")); err != nil {
		t.Fatal(err)
	}
	l.start()
	l.eventually("it to be reported", func() bool { return l.pace.status(id).State == cluster.InstanceRunning })
	pid := l.inspect(id).Pid

	l.pace.set(func() { l.pace.answer = cluster.ReportAnswer{Epoch: 1, Revision: 1, Start: []cluster.ID{id}} })

	l.eventually("it to be known again by its port", func() bool { return l.pace.status(id).Port == l.pace.specs[id].Port })
	if got := l.inspect(id).Pid; got != pid {
		t.Errorf("got process %d, want %d untouched", got, pid)
	}
}

func TestHeart_EndsWhenAnotherHeartHasItsName(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.pace.refuse = cluster.Conflict("node n1 is already connected from host a, since noon")

	n := l.start()

	err := testkit.Receive(t, "the heart to end", n.ended)
	if cluster.CodeOf(err) != cluster.CodeConflict || !strings.Contains(err.Error(), "host a, since noon") {
		t.Errorf("got %v, want the conflict", err)
	}
}

func TestHeart_AnEngineThatHangsSaysNothingAboutInstances(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	proxy := testkit.NewEngineProxy(t, testkit.DockerHost())
	l.cfg.DockerHost = proxy.Host
	n := l.start()
	id := l.running(n, "serve", nil)
	l.eventually("the report", func() bool { return l.pace.status(id).State == cluster.InstanceRunning })

	proxy.Cut()
	seen := l.pace.answered()
	l.eventually("twenty more reports", func() bool { return l.pace.answered() > seen+20 })
	if got := l.pace.status(id); got.State != cluster.InstanceRunning || got.Crashing || got.Gone {
		t.Errorf("got %+v, want it as it was last known", got)
	}
	proxy.Restore()
	pid := l.inspect(id).Pid
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	l.eventually("its crash to be seen again", func() bool { return l.pace.status(id).Restarts == 1 })
	if _, err := n.StopInstance(testkit.Bounded(t), forInstance(id)); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestStopAll_EndsANodeWithoutItsHeart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	serves := l.running(n, "serve", nil)
	l.running(n, "stubborn", nil)
	n.kill()

	got, err := heart.StopAll(t.Context(), l.engine, "n1", l.cfg.DataDir, time.Second)

	if err != nil || got != 2 {
		t.Errorf("got %d stopped, %v; want 2", got, err)
	}
	if list, err := l.engine.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("left: %v, %v; want none", list, err)
	}

	l.start()
	l.eventually("it to run again", func() bool {
		c, err := l.engine.Inspect(t.Context(), serves)
		return err == nil && c.Running
	})
	seen := l.pace.answered()
	l.eventually("reports of it", func() bool { return l.pace.answered() > seen+2 && !l.pace.status(serves).Crashing })
	if s := l.pace.status(serves); s.State != cluster.InstanceRunning || s.Restarts != 0 || s.Error != "" {
		t.Errorf("got %+v after its node was stopped and started, want it running and no crash counted", s)
	}
}

func TestHeart_FreesThePortsOfInstancesWithoutARecord(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := l.start()
	stray, lost := l.running(n, "serve", nil), l.running(n, "serve", nil)
	n.kill()
	if err := os.RemoveAll(filepath.Join(l.cfg.DataDir, "instances")); err != nil {
		t.Fatal(err)
	}
	if err := l.engine.Remove(t.Context(), lost); err != nil {
		t.Fatal(err)
	}

	n = l.start()
	if _, err := n.StopInstance(t.Context(), forInstance(stray)); err != nil {
		t.Fatalf("stop: %v", err)
	}

	for _, id := range []cluster.ID{stray, lost} {
		next := l.want("serve", func(s *cluster.InstanceSpec) { s.Port = l.pace.specs[id].Port })
		if _, err := n.StartInstance(t.Context(), forInstance(next)); err == nil || !strings.Contains(err.Error(), "was released") {
			t.Errorf("start with the port of %s: got %v, want it refused as released a moment ago", id, err)
		}
	}
}

// A machine whose node was removed joins again in the same data directory: the new
// node's revisions begin anew.
func TestHeart_ANewNodeOnTheSameDiskTakesItsAssignments(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first := l.start()
	l.pace.set(func() { l.pace.answer = cluster.ReportAnswer{Epoch: 1, Revision: 7} })
	l.eventually("the set to count as applied", func() bool { return l.pace.lastReport().Revision == 7 })
	first.kill()
	l.cfg.NodeID = cluster.NewID()
	id := l.want("serve", nil)

	l.pace.set(func() { l.pace.answer = cluster.ReportAnswer{Epoch: 1, Revision: 1, Start: []cluster.ID{id}} })
	l.start()

	l.eventually("the new node's set to be applied", func() bool {
		return l.pace.status(id).State == cluster.InstanceRunning && l.pace.lastReport().Revision == 1
	})
}
