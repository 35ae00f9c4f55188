package main_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// join starts a process of a cluster with some of the roles, as on a machine of
// its own, and ends it with the test. Its router is at its router address.
func (c *cluster) join(name, roles, pacemaker string, flags ...string) *cluster {
	c.tb.Helper()
	n := c.machine()
	token := c.joinToken("--name", name, "--roles", roles)
	n.flags = append(n.joinFlags(pacemaker, token), flags...)
	n.start()
	n.flags = []string{"run", "--data-dir", n.dir + "/data"} // by what joining has written
	return n
}

// machine is another one, on which nothing runs yet.
func (c *cluster) machine() *cluster {
	c.tb.Helper()
	n := &cluster{tb: c.tb, daemon: c.daemon, dir: testkit.ShortDir(c.tb), docker: c.docker, env: c.env, api: c.api}
	n.router = "http://" + testkit.FreeAddr(c.tb)
	c.tb.Cleanup(n.end)
	return n
}

func (c *cluster) joinFlags(pacemaker, token string) []string {
	return []string{
		"join", pacemaker, "--token", token, "--data-dir", c.dir + "/data", "--docker-host", c.docker,
		"--router-listen", strings.TrimPrefix(c.router, "http://"),
	}
}

// spread counts the app's running instances by node.
func (p *project) spread(n int) map[string]int {
	p.c.tb.Helper()
	at := map[string]int{}
	for _, in := range p.running(n) {
		at[in.Node]++
	}
	return at
}

// answering asks through a router until n instances have answered, and gives
// the number of requests.
func (p *project) answering(n int) (asked int) {
	p.c.tb.Helper()
	seen := map[string]bool{}
	testkit.Eventually(p.c.tb, fmt.Sprintf("%d instances to answer through %s", n, p.c.router), func() bool {
		asked++
		status, body := p.get("/echo")
		var echo struct{ Instance string }
		if err := json.Unmarshal([]byte(body), &echo); status != 200 || err != nil {
			p.c.tb.Fatalf("through %s: got %d %s", p.c.router, status, body)
		}
		seen[echo.Instance] = true
		return len(seen) == n
	})
	return asked
}

// through is the same app, asked through another router.
func (p *project) through(n *cluster) *project {
	return &project{c: n, name: p.name, dir: p.dir}
}

func TestNodes_HeartAndRouterOfTheirOwn(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	second := c.join("n2", "heart", "https://"+nodes)
	edge := c.join("edge", "router", "https://"+nodes)

	c.aorta("ps", "scale", "-a", "shop", "web=2")
	if got := shop.spread(2); got[here] != 1 || got["n2"] != 1 {
		t.Errorf("got two instances at %v, want one on %s and one on n2", got, here)
	}
	c.aorta("ps", "scale", "-a", "shop", "web=4")
	if got := shop.spread(4); got[here] != 2 || got["n2"] != 2 {
		t.Errorf("got four instances at %v, want two on each", got)
	}
	asked := shop.answering(4) + shop.through(edge).answering(4)

	// A push returns once every router answers by the new release.
	shop.commit("second")
	shop.deploy()
	for _, p := range []*project{shop, shop.through(edge)} {
		if got := p.release(); got != "v2" {
			t.Errorf("through %s: got %s right after the push, want v2", p.c.router, got)
		}
	}
	shop.counted(int64(asked + 2))
	if got := shop.logged() + shop.loggedAt(edge); got != asked+2 {
		t.Errorf("got %d lines in both access logs, want %d", got, asked+2)
	}

	shop.survives(second, edge)
	shop.leaves(second)
}

// A node that runs no instances reports all the same: it counts as there while
// it works, and is missed once it is gone.
func TestNodes_WithoutAHeartAreHeardAndMissed(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes, "--dead-after", "6s")
	lone := map[string]*cluster{"edge": c.join("edge", "router", "https://"+nodes), "forge": c.join("forge", "builder", "https://"+nodes)}

	for name := range lone {
		ago := c.heardAgo(name)
		testkit.Eventually(t, name+" to be heard again after its hello", func() bool {
			before := ago
			ago = c.heardAgo(name)
			return ago < before
		})
	}
	for _, n := range lone {
		n.kill()
	}

	// One is silent first, and dead soon after: whichever is seen.
	for _, want := range []string{"(?i)node edge is (silent|dead), its router too", "(?i)node forge is (silent|dead)"} {
		testkit.Eventually(t, "the status to say "+want, func() bool {
			return slices.ContainsFunc(asJSON[wire.Status](c, "status").Reasons, regexp.MustCompile(want).MatchString)
		})
	}
}

// heardAgo is how many seconds ago a node was heard.
func (c *cluster) heardAgo(name string) float64 {
	c.tb.Helper()
	for _, n := range asJSON[[]wire.Node](c, "nodes") {
		if n.Name == name && n.HeardAgo != nil {
			return *n.HeardAgo
		}
	}
	c.tb.Fatalf("node %s was never heard", name)
	return 0
}

// loggedAt counts the app's lines in another router's access log.
func (p *project) loggedAt(n *cluster) int {
	p.c.tb.Helper()
	return linesOf(p.c.tb, n.dir, asJSON[wire.App](p.c, "apps", "info", "-a", p.name).ID)
}

// survives kills the nodes' daemons: instances and routes go on, and are taken
// up again as they were.
func (p *project) survives(nodes ...*cluster) {
	p.c.tb.Helper()
	p.alone(4, "v2") // the first release's may still be finishing their requests
	before := p.containers()
	for _, n := range nodes {
		n.kill()
	}
	p.serve(20)
	p.through(nodes[len(nodes)-1]).serve(20)
	for _, n := range nodes {
		n.start()
	}
	p.running(4)
	if now := p.containers(); !sameSet(now, before) {
		p.c.tb.Errorf("got containers %v after the nodes' daemons were killed, want %v", now, before)
	}
	p.c.aorta("ps", "scale", "-a", p.name, "web=6")
	if got := p.spread(6); got[here] != 3 || got["n2"] != 3 {
		p.c.tb.Errorf("got six instances at %v, want three on each", got)
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// leaves stops a node with all that is on it: the other's instances stay.
func (p *project) leaves(n *cluster) {
	p.c.tb.Helper()
	var stay []string
	for _, in := range p.running(6) {
		if in.Node != "n2" {
			stay = append(stay, in.ID)
		}
	}
	r := n.run(n.dir, filepath.Join(bin, "aortad"), "stop", "--data-dir", n.dir+"/data", "--all")
	if r.code != 0 || !strings.Contains(r.out, "3 instances are stopped and removed") {
		p.c.tb.Errorf("aortad stop --all on n2: exit %d\n%s%s", r.code, r.out, r.err)
	}
	left := p.c.engine("ps", "--filter", "label=aorta.cluster="+p.c.id(), "--format", "{{.Names}}")
	if !sameSet(left, stay) {
		p.c.tb.Errorf("got containers %v, want those of %s alone: %v", left, here, stay)
	}
	p.serve(20)
}
