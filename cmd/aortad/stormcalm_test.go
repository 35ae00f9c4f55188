package main_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// calm waits until the cluster is as it was asked to be, and checks what then holds.
func (s *stormy) calm() {
	s.t.Helper()
	missing := "nothing"
	s.t.Cleanup(func() { // of no use but to a round that waited in vain
		if missing != "" {
			s.t.Logf("round %d was not calm: %s", s.round, missing)
		}
	})
	testkit.Eventually(s.t, "the cluster to be calm", func() bool {
		missing = s.missing()
		return missing == ""
	})
	s.note("it is calm")
	(&cluster{tb: s.t, dir: s.lab.Pacemaker().Disk()}).nothingLeft()
	s.nothingOpen()
	s.rises()
	s.everyRouterKnows()
	s.counts()
	for _, host := range s.lab.Hosts {
		if log := host.Log(); strings.Contains(log, "WARNING: DATA RACE\n") || strings.Contains(log, "\npanic: ") {
			s.t.Errorf("the log of %s has a race or a panic", host.Name)
		}
	}
	s.note("it is checked")
}

// missing is what is not as it was asked to be; empty: nothing.
func (s *stormy) missing() string {
	for _, part := range []func() (string, error){s.nodesMissing, s.handled, s.statusMissing, s.instancesMissing, s.programsMissing} {
		what, err := part()
		if err != nil {
			return err.Error()
		}
		if what != "" {
			return what
		}
	}
	return ""
}

// nodesMissing wants all nodes to be ready, and their routers to have the newest table.
func (s *stormy) nodesMissing() (string, error) {
	nodes, err := tell[[]wire.Node](s, "nodes")
	if err != nil {
		return "", err
	}
	status, err := tell[wire.Status](s, "status")
	if err != nil {
		return "", err
	}
	for _, n := range nodes {
		if n.State != "ready" || n.Generation != status.Generation {
			return fmt.Sprintf("node %s is %s, its table is of generation %d, want %d", n.Name, n.State, n.Generation, status.Generation), nil
		}
	}
	return "", nil
}

// handled has each job that has failed marked as seen, since status tells of it until then.
// It has to say why it failed.
func (s *stormy) handled() (string, error) {
	jobs, err := tell[[]wire.Job](s, "jobs", "--all")
	if err != nil {
		return "", err
	}
	for _, j := range jobs {
		if !j.Attention {
			continue
		}
		if j.Error == "" {
			s.t.Errorf("job %s (%s) is %s, and says not why", j.ID, j.Title, j.State)
		}
		s.note("job %s (%s) is %s: %s", j.ID, j.Title, j.State, j.Error)
		if _, err := s.ask("jobs", "discard", j.ID); err != nil {
			return "", err
		}
	}
	return "", nil
}

func (s *stormy) statusMissing() (string, error) {
	status, err := tell[wire.Status](s, "status")
	if err != nil {
		return "", err
	}
	if status.State != "ok" || status.OpenJobsCount > 0 {
		return fmt.Sprintf("status is %s: %q, %d jobs are open: %+v", status.State, status.Reasons, status.OpenJobsCount, status.OpenJobs), nil
	}
	return "", nil
}

// instancesMissing wants as many to run as the formation says, and a container for each
// at its node, and no other.
func (s *stormy) instancesMissing() (string, error) {
	all, err := tell[[]wire.Instance](s, "ps", "-a", "shop")
	if err != nil {
		return "", err
	}
	app, err := tell[wire.App](s, "apps", "info", "-a", "shop")
	if err != nil {
		return "", err
	}
	want := map[string][]string{}
	for _, in := range all {
		if in.State != "running" || in.Unheard {
			return fmt.Sprintf("instance %s at %s is %s: %s", in.ID, in.Node, in.State, in.Verdict), nil
		}
		want[in.Node] = append(want[in.Node], in.ID)
	}
	if app.Wanted != len(all) {
		return fmt.Sprintf("%d instances run, want %d", len(all), app.Wanted), nil
	}
	for _, host := range s.lab.Hosts {
		r := s.c.run(s.c.dir, "docker", "-H", host.Engine(), "ps", "-a", "--format", "{{.Names}}", "--filter", "label=aorta.app-id")
		got := strings.Fields(r.out)
		slices.Sort(got)
		slices.Sort(want[host.Name])
		if r.code != 0 || !slices.Equal(got, want[host.Name]) {
			return fmt.Sprintf("%s has the containers %v, want %v %s", host.Name, got, want[host.Name], r.err), nil
		}
	}
	return "", nil
}

// programsMissing wants to run on each host what ran there at first, and as often.
func (s *stormy) programsMissing() (string, error) {
	now := s.allPrograms()
	if !maps.Equal(now, s.programs) {
		return fmt.Sprintf("there run %v, want %v", now, s.programs), nil
	}
	return "", nil
}

// allPrograms counts what runs on all hosts, by "n1 nginx". That of containers is left out.
func (s *stormy) allPrograms() map[string]int {
	all := map[string]int{}
	for _, host := range s.lab.Hosts {
		count, err := host.Programs()
		testkit.Must(s.t, err)
		for name, n := range count {
			if !strings.HasPrefix(name, "containerd-shim") && !strings.HasPrefix(name, "docker-proxy") {
				all[host.Name+" "+name] = n
			}
		}
	}
	return all
}

// nothingOpen wants each operation to have ended, with its cause where it has failed.
func (s *stormy) nothingOpen() {
	s.t.Helper()
	for _, j := range asJSON[[]wire.Job](s.c, "jobs", "--all") {
		switch {
		case j.EndedAt == nil:
			s.t.Errorf("job %s (%s) is %s and has no end", j.ID, j.Title, j.State)
		case j.State != "succeeded" && j.Error == "":
			s.t.Errorf("job %s (%s) is %s, and says not why", j.ID, j.Title, j.State)
		}
	}
}

// rises wants epoch and generation of the table not to have fallen.
func (s *stormy) rises() {
	s.t.Helper()
	status := asJSON[wire.Status](s.c, "status")
	now := [2]uint64{status.Epoch, status.Generation}
	if slices.Compare(now[:], s.epoch[:]) < 0 {
		s.t.Errorf("got epoch and generation %v after %v", now, s.epoch)
	}
	s.epoch = now
}

// everyRouterKnows wants all instances that run to answer through each router, and nobody
// else.
func (s *stormy) everyRouterKnows() {
	s.t.Helper()
	want := map[string]bool{}
	for _, in := range s.c.ps("shop") {
		want[in.Release+" "+in.ID] = true
	}
	for _, via := range s.lab.Hosts {
		seen := map[string]bool{}
		testkit.Eventually(s.t, fmt.Sprintf("%d instances to answer through %s", len(want), via.Name), func() bool {
			tally, err := lab.Load{App: "shop", Rate: 40, For: time.Second, Via: []*lab.Host{via}}.Run(testkit.Bounded(s.t), s.lab)
			testkit.Must(s.t, err)
			s.ledger.add(tally)
			if tally.Failed > 0 {
				s.t.Errorf("when it is calm, through %s: %d requests failed: %v", via.Name, tally.Failed, tally.Causes)
			}
			for by := range tally.Instances {
				seen[by] = true
				if !want[by] {
					s.t.Errorf("when it is calm, %s answers through %s, want only %v", by, via.Name, slices.Sorted(maps.Keys(want)))
				}
			}
			return tally.Failed > 0 || len(seen) >= len(want)
		})
	}
}
