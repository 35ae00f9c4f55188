package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
	"aorta/web/wire"
)

// monopoly is an app whose web is exclusive, on three hosts. Each instance prints all the time
// that it runs, and when: its log is the witness.
type monopoly struct {
	t   *testing.T
	lab *lab.Lab
	c   *cluster
	app *project
}

// What is exclusive runs once at a time, whatever is done to it and its hosts.
func TestLab_WhatIsExclusiveRunsOnce(t *testing.T) {
	t.Parallel()
	specs := lab.Specs(3)
	specs[0].Flags = []string{"--dead-after=" + deadAfter().String()}
	m := &monopoly{t: t, lab: ownLab(t, nil, specs...)}
	m.c = on(t, m.lab.Pacemaker())
	m.app = m.c.newApp("shop", "testapp", "ENV MODE=alive")
	m.app.write("aorta.yml", "processes: {web: {exclusive: true, stop_grace: 5s}}\n")
	m.app.commit("an exclusive web")

	m.changes()
	m.crashes()
	m.isDrained()
	m.isLost()
	m.isCutOff()
	m.stopsWhenCutOff()

	m.wantNoTwoAtOnce()
}

// one is the one that runs, once there is nothing else of it and nothing is to be done.
func (m *monopoly) one(when string) (only wire.Instance) {
	m.t.Helper()
	testkit.Eventually(m.t, when+", one and no other", func() bool {
		list := slices.DeleteFunc(m.c.ps("shop"), func(in wire.Instance) bool { return in.Type != "web" })
		if len(list) != 1 || list[0].State != "running" || len(asJSON[wire.Status](m.c, "status").OpenJobs) > 0 {
			return false
		}
		only = list[0]
		return true
	})
	return only
}

func (m *monopoly) host(name string) *lab.Host {
	return m.lab.Hosts[slices.IndexFunc(m.lab.Hosts, func(h *lab.Host) bool { return h.Name == name })]
}

// changes are deploys and other rollouts; one that fails has the former one back.
func (m *monopoly) changes() {
	m.t.Helper()
	for i := range 3 {
		m.app.commit(fmt.Sprint("deploy ", i))
		if said := m.app.deploy(); i > 0 && !strings.Contains(said, "web is interrupted") {
			m.t.Errorf("got %q, want it said that web is interrupted", said)
		}
		m.one("after a deploy")
	}
	m.c.aorta("config", "set", "-a", "shop", "A=1")
	before := m.one("after a change of the config vars")
	m.c.aorta("ps", "restart", "-a", "shop")
	m.one("after a restart")
	m.c.aorta("ps", "type", "-a", "shop", "web", "--memory", "64m")
	m.one("after a change of its limits")

	m.app.write("Dockerfile", "FROM scratch\nCOPY app /app\nENV MODE=exit:3\nCMD [\"/app\"]\n")
	m.app.commit("one that ends at once")
	if r := m.app.push(); r.code == 0 || !strings.Contains(r.err, "exit") {
		m.t.Errorf("got exit %d and %q for one that ends at once, want it to fail by that", r.code, r.err)
	}
	if after := m.one("after a deploy that failed"); after.Release != before.Release {
		m.t.Errorf("got %s after a deploy that failed, want %s as before", after.Release, before.Release)
	}
	m.app.git("reset", "-q", "--hard", "HEAD~1")
	if r := m.c.run(m.app.dir, "aorta", "ps", "scale", "-a", "shop", "web=2"); r.code == 0 || !strings.Contains(r.err, "web is exclusive") {
		m.t.Errorf("got exit %d and %q for two of it, want it refused", r.code, r.err)
	}
}

// crashes: the same one starts again.
func (m *monopoly) crashes() {
	m.t.Helper()
	before := m.one("before it crashes")
	at := on(m.t, m.host(before.Node))
	if r := at.run(at.dir, "docker", "-H", at.docker, "kill", before.ID); r.code != 0 {
		m.t.Fatalf("kill it: %s", r.err)
	}
	testkit.Eventually(m.t, "it to be started again", func() bool {
		return slices.ContainsFunc(m.c.ps("shop"), func(in wire.Instance) bool { return in.ID == before.ID && in.Restarts == 1 && in.State == "running" })
	})
}

// isDrained: it leaves a host that is emptied.
func (m *monopoly) isDrained() {
	m.t.Helper()
	for _, name := range []string{m.one("before a drain").Node, "n1"} { // n1 is not lost below
		m.c.aorta("nodes", "drain", name)
		if at := m.one("after a drain").Node; at == name {
			m.t.Errorf("got it on %s, which is drained", at)
		}
		if name != "n1" {
			m.c.aorta("nodes", "undrain", name)
		}
	}
}

// isLost: while its host is merely silent, no other one starts.
func (m *monopoly) isLost() {
	m.t.Helper()
	before := m.one("before its host is lost")
	testkit.Must(m.t, m.host(before.Node).Kill(testkit.Bounded(m.t)))
	m.awaitDoubt(before)

	m.c.aorta("nodes", "declare-dead", before.Node)
	testkit.Eventually(m.t, "another one", func() bool {
		return slices.ContainsFunc(m.c.ps("shop"), func(in wire.Instance) bool {
			return in.Node != before.Node && in.State == "running"
		})
	})
	testkit.Must(m.t, m.host(before.Node).Boot(testkit.Bounded(m.t)))
	if after := m.one("after its host is back"); after.ID == before.ID {
		m.t.Errorf("got %s again, want the one that took its place", after.ID)
	}
}

// isCutOff: it works on where nobody hears it, and is the same once somebody does.
func (m *monopoly) isCutOff() {
	m.t.Helper()
	before := m.one("before its host is cut off")
	testkit.Must(m.t, m.lab.Cut(testkit.Bounded(m.t), lab.Cut{A: before.Node, B: "n1"}))
	m.awaitDoubt(before)
	m.heal(before.Node)
	if after := m.one("after its host is heard again"); after.ID != before.ID {
		m.t.Errorf("got %s on %s, want %s as before", after.ID, after.Node, before.ID)
	}
}

// awaitDoubt waits until the status says that it may still run, and what to do.
func (m *monopoly) awaitDoubt(in wire.Instance) {
	m.t.Helper()
	testkit.Eventually(m.t, "the status to say that it may still run on "+in.Node, func() bool {
		return slices.ContainsFunc(asJSON[wire.Status](m.c, "status").Reasons, func(r string) bool {
			return strings.Contains(r, "may still run on "+in.Node) && strings.Contains(r, "aorta nodes declare-dead "+in.Node)
		})
	})
}

// wantNoTwoAtOnce reads what each printed.
func (m *monopoly) wantNoTwoAtOnce() {
	m.t.Helper()
	type life struct {
		id          string
		first, last int64
	}
	lives := map[string]*life{}
	for _, l := range asJSON[[]wire.LogLine](m.c, "logs", "-a", "shop", "-n", "10000") {
		var id string
		var at int64
		if n, _ := fmt.Sscanf(l.Text, "alive %s %d", &id, &at); n != 2 {
			continue
		}
		if lives[id] == nil {
			lives[id] = &life{id, at, at}
		}
		lives[id].first, lives[id].last = min(lives[id].first, at), max(lives[id].last, at)
	}
	var list []*life
	for _, one := range lives {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b *life) int { return int(a.first - b.first) })
	for i, one := range list[1:] {
		if before := list[i]; one.first <= before.last {
			m.t.Errorf("%s began %d ns before the last word of %s", one.id, before.last-one.first, before.id)
		}
	}
	if len(list) < 8 {
		m.t.Errorf("got the words of %d instances, want those of all", len(list))
	}
}

// stopsWhenCutOff: one that is to stop by itself is replaced without anybody's word, also
// where its daemon is dead or its engine hangs.
func (m *monopoly) stopsWhenCutOff() {
	m.t.Helper()
	m.app.write("aorta.yml", "processes: {web: {exclusive: true, stop_when_cut_off: true, stop_grace: 5s}}\n")
	m.app.commit("one that stops when it is cut off")
	m.app.deploy()
	fine := func(*lab.Host) error { return nil }
	heals := func(h *lab.Host) error { m.heal(h.Name); return h.ThawEngine() }
	for _, and := range []struct{ suffers, mended func(*lab.Host) error }{
		{fine, fine},
		{(*lab.Host).FreezeEngine, heals}, // the lapse is over before anybody sees it
		{func(h *lab.Host) error { return h.KillDaemon(testkit.Bounded(m.t)) }, func(h *lab.Host) error { return h.StartDaemon(testkit.Bounded(m.t)) }},
		{(*lab.Host).FreezeEngine, (*lab.Host).ThawEngine},
	} {
		before := m.one("before its host is cut off from all that could end it")
		at := m.host(before.Node)
		testkit.Must(m.t, m.lab.Cut(testkit.Bounded(m.t), lab.Cut{A: at.Name, B: "n1"}))
		testkit.Must(m.t, and.suffers(at))
		testkit.Eventually(m.t, "another one", func() bool {
			return slices.ContainsFunc(m.c.ps("shop"), func(in wire.Instance) bool {
				return in.ID != before.ID && in.State == "running"
			})
		})
		testkit.Must(m.t, and.mended(at))
		m.heal(at.Name)
		if after := m.one("after its host is heard again"); after.ID == before.ID {
			m.t.Errorf("got %s again, want the one that took its place", after.ID)
		}
	}
}

// heal connects a host again, and waits until it is heard.
func (m *monopoly) heal(name string) {
	m.t.Helper()
	testkit.Must(m.t, m.lab.Heal(testkit.Bounded(m.t)))
	testkit.Eventually(m.t, name+" to be heard", func() bool {
		return slices.ContainsFunc(asJSON[[]wire.Node](m.c, "nodes"), func(n wire.Node) bool { return n.Name == name && n.State == "ready" })
	})
}
