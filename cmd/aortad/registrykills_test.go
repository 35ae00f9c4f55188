package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// appears waits until a file is there that has something in it.
func appears(tb testing.TB, pattern string) {
	tb.Helper()
	testkit.Eventually(tb, pattern+" to be written", func() bool {
		found, _ := filepath.Glob(pattern)
		return slices.ContainsFunc(found, func(path string) bool {
			info, err := os.Stat(path)
			return err == nil && info.Size() > 0
		})
	})
}

// sending are the files of what is being sent to the app's repository, below a data
// directory.
func (p *project) sending(data string) string {
	return data + "/registry/docker/registry/v2/repositories/" + p.id() + "/_uploads/*/data"
}

// fourOf waits until four instances of a release run and nothing else of the app.
func (p *project) fourOf(release string) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "four instances of "+release, func() bool {
		n := 0
		for _, in := range p.c.ps(p.name) {
			if in.Release != release || in.State != "running" {
				return false
			}
			n++
		}
		return n == 4
	})
}

// namedByBuild checks that no transfer has left a name of an image of the app.
func (p *project) namedByBuild(at *cluster) {
	p.c.tb.Helper()
	for _, name := range at.engine("images", "--format", "{{.Repository}}", "--filter", "label=aorta.app-id="+p.id()) {
		if name != "aorta/"+p.name {
			p.c.tb.Errorf("an image of %s is called %s, want no name but the build's", p.name, name)
		}
	}
}

// The daemon with registry and builder is killed in the middle of a push and of a
// pull, and one with a heart in the middle of a pull: each deploy ends well.
func TestRegistry_DeploysOutliveKills(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	n1, n2, n3 := l.Hosts[0], l.Hosts[1], l.Hosts[2]
	tough := on(t, n1).newApp("tough", "hello")
	tough.deploy()
	tough.c.aorta("ps", "scale", "web=4", "-a", "tough")
	pulling := func(h *lab.Host) string { return h.Disk() + "/docker/tmp/GetImageBlob*" }

	for i, kill := range []struct {
		host *lab.Host
		at   string // the file that shows that the moment has come
	}{
		{n1, tough.sending(n1.Disk() + "/data")},
		{n1, pulling(n3)},
		{n2, pulling(n2)},
	} {
		tough.burden(48)
		tough.commit("next")
		pushed := make(chan result, 1)
		go func() { pushed <- tough.push() }()

		appears(t, kill.at)
		testkit.Must(t, kill.host.KillDaemon(testkit.Bounded(t)))
		testkit.Must(t, kill.host.StartDaemon(testkit.Bounded(t)))

		testkit.Receive(t, "the push to end", pushed) // with the pacemaker, or well
		release := "v" + strconv.Itoa(i+2)
		tough.fourOf(release)
		tough.everywhere(l, release)
	}
	for _, host := range l.Hosts {
		tough.namedByBuild(on(t, host))
	}
	tough.destroy()
}

// A builder of its own is killed while it sends an image: it sends it again.
func TestRegistry_ABuilderIsKilledInAPush(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes, "--roles", "pacemaker,heart,router")
	forge := c.join("forge", "builder", "https://"+nodes)
	tough := c.newApp("tough", "hello")
	tough.burden(48)
	tough.commit("with a burden")
	pushed := make(chan result, 1)
	go func() { pushed <- tough.push() }()

	appears(t, tough.sending(c.dir+"/data"))
	forge.kill()
	forge.start()

	if r := testkit.Receive(t, "the push to end", pushed); r.code != 0 || tough.release() != "v1" {
		t.Errorf("got exit %d and %s, want v1 to serve", r.code, r.err)
	}
	tough.namedByBuild(c)
}
