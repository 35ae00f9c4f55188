package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// joins runs aortad join until it ends by itself: it was refused.
func (c *cluster) joins(pacemaker, token string, flags ...string) result {
	c.tb.Helper()
	return c.run(c.dir, filepath.Join(bin, "aortad"), append(c.joinFlags(pacemaker, token), flags...)...)
}

// joinToken makes a token.
func (c *cluster) joinToken(flags ...string) string {
	c.tb.Helper()
	return strings.TrimSpace(c.aorta(append([]string{"nodes", "token"}, flags...)...))
}

func (c *cluster) wantRefused(what string, r result, code int, says string) {
	c.tb.Helper()
	if r.code != code || !strings.Contains(r.err, says) {
		c.tb.Errorf("%s: exit %d\n%s\nwant exit %d and %q", what, r.code, r.err, code, says)
	}
}

func TestJoin_TokensHold(t *testing.T) {
	t.Parallel()
	c, other := newCluster(t), newCluster(t)
	nodes := c.nodeURL()
	token := c.joinToken
	lone := c.machine()
	foreign := other.joinToken()
	revoked := token("--name", "never")
	for _, have := range asJSON[[]wire.JoinToken](c, "nodes", "token", "list") {
		c.aorta("nodes", "token", "revoke", have.ID)
	}
	expired := token("--name", "late", "--expires", "1s")
	for _, have := range asJSON[[]wire.JoinToken](c, "nodes", "token", "list") {
		if have.Name == "late" {
			testkit.Eventually(t, "the token to expire", func() bool { return time.Now().After(have.ExpiresAt) })
		}
	}
	once := token("--roles", "heart")
	second := c.machine()
	second.flags = append(second.joinFlags(nodes, once), "--node-name", "n2")
	second.start()

	plain := strings.Replace(c.api, "http://", "https://", 1)
	lone.wantRefused("at the port for people", lone.joins(plain, token()), 3, plain+" speaks no TLS, so it is not the nodes' API: that is at port 7421")

	for what, refused := range map[string]struct {
		token, says string
		code        int
		flags       []string
	}{
		"garbage":                  {"hello", "is no join token", 3, nil},
		"cut off":                  {once[:len(once)-1], "is no join token", 3, nil},
		"another cluster's":        {foreign, "is not where this token is from: it belongs to another cluster", 3, nil},
		"a made-up one":            {"join_" + strings.Repeat("A", 26) + once[strings.LastIndex(once, "_"):], "not one of this cluster's", 3, nil},
		"expired":                  {expired, "expired at", 3, nil},
		"revoked":                  {revoked, "was revoked at", 3, nil},
		"used":                     {once, "was used already: by n2 at", 3, []string{"--node-name", "n3"}},
		"for other roles":          {token("--roles", "heart"), "for a node with the roles heart, not router", 3, []string{"--roles", "router", "--node-name", "n3"}},
		"for no pacemaker":         {token(), "can't be a pacemaker", 3, []string{"--roles", "pacemaker,heart"}},
		"of a name that is":        {token(), "node \"n2\" exists already", 3, []string{"--node-name", "n2"}},
		"of a node at work":        {token(), "is at work on host", 3, []string{"--node-name", "n2", "--replace"}},
		"of the pacemaker":         {token(), "is the pacemaker", 3, []string{"--node-name", here, "--replace"}},
		"at an address for people": {token(), "is not the address of a nodes' API", 2, nil},
	} {
		at := nodes
		if refused.code == 2 {
			at = c.api
		}
		lone.wantRefused(what, lone.joins(at, refused.token, refused.flags...), refused.code, refused.says)
	}

	if list := c.nodes(); len(list) != 2 {
		t.Errorf("got the nodes %+v, want none of who was refused", list)
	}
	if _, err := os.Stat(lone.dir + "/data/node/node.json"); err == nil {
		t.Error("who was refused has an identity")
	}
}

// The same machine with the same token is the same node, also when its answer was lost.
func TestJoin_IsAskedForAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	token := c.joinToken("--roles", "heart", "--tag", "disk=ssd")
	n := c.machine()
	n.flags = append(n.joinFlags(c.nodeURL(), token), "--node-name", "n2")

	n.start()
	first := c.nodeNamed("n2")
	n.kill()
	testkit.Must(t, os.Remove(n.dir+"/data/node/node.json")) // as if it had never come
	n.start()
	again := c.nodeNamed("n2")

	if first.ID != again.ID || len(c.nodes()) != 2 || again.Tags["disk"] != "ssd" {
		t.Errorf("got %+v, then %+v of %d nodes, want the same one with its tag", first, again, len(c.nodes()))
	}
}

func (c *cluster) nodeNamed(name string) wire.Node {
	c.tb.Helper()
	return asJSON[wire.Node](c, "nodes", "show", name)
}

func TestNodes_ARemovedOneIsShutOutAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	second := c.join("n2", "heart,router", c.nodeURL())
	id := c.nodeNamed("n2").ID
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	if got := shop.spread(2); got["n2"] != 1 {
		t.Fatalf("got instances at %v, want one on n2", got)
	}

	says := c.run(c.dir, "aorta", "nodes", "remove", "n2")

	if says.code != 0 || !strings.Contains(says.err, "Its daemon stops 1 instance and its router there.") {
		t.Errorf("exit %d\n%s\nwant what is left there", says.code, says.err)
	}
	for _, redis := range []string{"routes", "jobs", "stats"} {
		if users, err := c.redis(redis).ACLUsers(t.Context()).Result(); err != nil || strings.Contains(strings.Join(users, " "), id) {
			t.Errorf("the %s Redis has the users %v (%v), want none of n2", redis, users, err)
		}
	}
	<-second.gone
	if log := second.log(); !strings.Contains(log, "is not in the cluster: it was removed") {
		t.Errorf("the removed node's daemon says\n%s\nwant why it ended", tail(log, 2000))
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(second.router, "http://")); err == nil {
		t.Errorf("the removed node's router still answers, on %s", second.router)
	}
	if left := c.run(c.dir, "docker", "-H", c.docker, "ps", "-aq", "--filter", "label=aorta.node=n2", "--filter", "label=aorta.cluster="+c.id()); left.code != 0 || left.out != "" {
		t.Errorf("the removed node still has the containers %s (%s)", left.out, left.err)
	}
	if r := second.run(second.dir, filepath.Join(bin, "aortad"), second.flags...); r.code != 3 || !strings.Contains(r.err, "it was removed") {
		t.Errorf("started again: exit %d\n%s\nwant it refused", r.code, r.err)
	}
	if got := shop.spread(2); got[here] != 2 {
		t.Errorf("got instances at %v, want both on %s", got, here)
	}
	shop.serve(20)
}

// A disk that was copied to another machine is refused while the first one is at work,
// which goes on; a machine that was rebuilt takes its name over once that is silent.
func TestNodes_AnotherMachineOfTheSameName(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "--dead-after", "6s")
	first := c.join("n2", "router", c.nodeURL())
	before := c.nodeNamed("n2")
	first.kill()
	rebuilt := c.machine()
	rebuilt.flags = append(rebuilt.joinFlags(c.nodeURL(), c.joinToken("--roles", "router")), "--node-name", "n2", "--replace")

	testkit.Eventually(t, "n2 to be dead", func() bool { return c.nodeNamed("n2").State == "dead" })
	rebuilt.start()

	if after := c.nodeNamed("n2"); after.ID != before.ID || after.State != "ready" {
		t.Errorf("got %+v, want n2 as before: %+v", after, before)
	}
	if r := first.run(first.dir, filepath.Join(bin, "aortad"), first.flags...); r.code != 3 || !strings.Contains(r.err, "another machine has taken its place") {
		t.Errorf("the machine before: exit %d\n%s\nwant it refused", r.code, r.err)
	}
}
