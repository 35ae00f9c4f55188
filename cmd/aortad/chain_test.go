package main_test

import (
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// The main job, end to end: an app is pushed, serves through the router and is
// counted exactly, whatever happens to the daemon meanwhile.
func TestChain_PushedAppServesAndIsCounted(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")

	said := shop.deploy()

	for _, want := range []string{"remote: ✓ Build", "remote:   ✓ web.", "v1 serves: http://shop.aorta.localhost"} {
		if !strings.Contains(said, want) {
			t.Errorf("the push said:\n%s\nwant %q in it", said, want)
		}
	}
	shop.serve(200)
	shop.counted(200)

	before := shop.containers()
	c.term()
	shop.serve(100) // nobody is there to count: the log holds them
	c.start()
	c.kill()
	shop.serve(100)
	c.start()
	shop.counted(400)
	if after := shop.containers(); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("got containers %v, want the same as before: %v", after, before)
	}
}

func (p *project) serve(n int) {
	p.c.tb.Helper()
	for range n {
		if status, body := p.get("/echo"); status != 200 {
			p.c.tb.Fatalf("got %d %s, want 200", status, body)
		}
	}
}

func (p *project) counted(want int64) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "the statistics to show every request", func() bool {
		return p.c.stats(p.name).Requests >= want
	})
	if got := p.c.stats(p.name).Requests; got != want {
		p.c.tb.Errorf("got %d requests, want %d", got, want)
	}
}

func TestChain_EveryVerbOfTheCLI(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()

	c.aorta("config", "set", "-a", "shop", "GREETING=hello world")
	if got := shop.release(); got != "v2" {
		t.Errorf("after config set: got %s, want v2", got)
	}
	if got := strings.TrimSpace(c.aorta("config", "get", "-a", "shop", "GREETING")); got != "hello world" {
		t.Errorf("got %q, want the value that was set", got)
	}
	c.aorta("ps", "scale", "-a", "shop", "web=3")
	shop.running(3)
	c.aorta("ps", "type", "-a", "shop", "web", "--memory", "96m")
	shop.running(3)
	c.aorta("ps", "scale", "-a", "shop", "web=1")
	shop.running(1)
	was := shop.running(1)[0]
	c.aorta("ps", "restart", "-a", "shop")
	if now := shop.running(1)[0]; now.ID == was.ID || now.Release != was.Release {
		t.Errorf("got %s of %s after a restart, want a new instance of %s", now.ID, now.Release, was.Release)
	}
	c.aorta("rollback", "-a", "shop", "v1")
	if got := shop.release(); got != "v3" {
		t.Errorf("after rollback: got %s, want v3", got)
	}
	c.aorta("ps", "stop", "-a", "shop")
	if status, _ := shop.get("/"); status != 503 {
		t.Errorf("a stopped app: got %d, want 503", status)
	}
	c.aorta("ps", "restart", "-a", "shop")
	if status, _ := shop.get("/"); status != 200 {
		t.Errorf("a restarted app: got %d, want 200", status)
	}
	clone := &project{c: c, name: "shop", dir: shop.dir + "-clone"}
	shop.git("clone", "-q", shop.dir, clone.dir)
	if r := clone.push(); r.code == 0 || !strings.Contains(r.err, "aorta") {
		t.Errorf("a clone without a remote: got exit %d, %s", r.code, r.err)
	}
	clone.attach()
	clone.commit("from a clone")
	clone.deploy()
	if got := shop.release(); got != "v4" {
		t.Errorf("after the push of a clone: got %s, want v4", got)
	}
	c.aorta("domains", "add", "-a", "shop", "shop.example.com")
	c.aorta("domains", "remove", "-a", "shop", "shop.example.com")
	testkit.Eventually(t, "the app's log lines", func() bool {
		return strings.Contains(c.aorta("logs", "-a", "shop", "--search", "listens"), "listens")
	})
	releases := asJSON[[]wire.Release](c, "releases", "-a", "shop")
	if len(releases) != 4 || releases[0].Traffic != 100 || releases[1].State != "retired" {
		t.Errorf("got releases %+v, want four, the first with all traffic", releases)
	}
	c.aorta("apps", "destroy", "shop", "--confirm", "shop")
	if r := c.run(c.dir, "aorta", "apps", "info", "-a", "shop"); r.code != 4 {
		t.Errorf("a destroyed app: got exit %d, want 4", r.code)
	}
	if status, _ := shop.get("/"); status != 404 {
		t.Errorf("a destroyed app's host: got %d, want 404", status)
	}
}

// running waits until exactly n instances run and none is left of before.
func (p *project) running(n int) []wire.Instance {
	p.c.tb.Helper()
	var list []wire.Instance
	testkit.Eventually(p.c.tb, "the instances to be as they were asked for", func() bool {
		list = p.c.ps(p.name)
		for _, in := range list {
			if in.State != "running" {
				return false
			}
		}
		return len(list) == n
	})
	return list
}
