package main_test

import (
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	names "aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// needy are the jobs that the command line lists as asking for attention.
func (c *cluster) needy() []string {
	c.tb.Helper()
	var ids []string
	for _, j := range asJSON[[]wire.Job](c, "jobs", "--attention") {
		ids = append(ids, j.ID)
	}
	return ids
}

// A deploy that fails asks for attention until it is discarded; its retry is a
// job of its own, which fails for the same reason.
func TestRetry_OfADeployThatFailsAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.bring("testapp")
	shop.deploy()
	served := shop.ref()
	shop.write("Dockerfile", misbehaving+"exit:3\n")
	shop.commit("exits")
	const cause = "its process exited with code 3 before it was healthy"

	first := jobOf(t, shop.push().err)
	listed := c.run(c.dir, "aorta", "jobs", "--wide")
	before := c.needy()
	r := c.run(c.dir, "aorta", "jobs", "retry", first)
	again := asJSON[[]wire.Job](c, "jobs", "-a", "shop", "--kind", "deploy", "--state", "failed", "--since", "1h")
	shown := asJSON[wire.Job](c, "jobs", "show", again[0].ID)
	whole := c.aorta("jobs", "show", "--log", again[0].ID)

	if !slices.Equal(before, []string{first}) || !strings.Contains(listed.out, "needs attention: ") || !strings.Contains(listed.out, cause) || !strings.Contains(listed.err, "aorta jobs retry ID") {
		t.Errorf("got %v and the list\n%s%s\nwant the deploy to ask for attention, and why", before, listed.out, listed.err)
	}
	if r.code != 1 || !strings.Contains(r.err, cause) || !strings.Contains(r.err, "no database at DATABASE_URL") {
		t.Errorf("the retry: exit %d\n%s\nwant it to fail as the first did, with its log", r.code, r.err)
	}
	if len(again) != 2 || again[1].ID != first || shown.RetryOf != first || shown.User != "admin" {
		t.Errorf("got failed deploys %+v, want the first and its retry", again)
	}
	if !strings.Contains(whole, "│ ") || !strings.Contains(whole, "no database at DATABASE_URL") {
		t.Errorf("got the log\n%s\nwant all of it", whole)
	}
	for _, id := range []string{again[0].ID, first, first} {
		c.aorta("jobs", "discard", id)
	}
	if left := c.needy(); len(left) != 0 {
		t.Errorf("got %v that need attention after both were discarded", left)
	}
	if r := c.run(c.dir, "aorta", "jobs", "retry", first); r.code != 5 || !strings.Contains(r.err, "discarded by admin") {
		t.Errorf("a retry of what was discarded: exit %d\n%s\nwant it refused", r.code, r.err)
	}
	if got := shop.ref(); got != served {
		t.Errorf("got the ref at %s, want it where it was, %s", got, served)
	}
	if held := shop.holds(); held != "" {
		t.Errorf("got holds %q although nothing may be asked for again", held)
	}
	shop.alone(1, "v1")
}

// holds are the commits that the cluster keeps for deploys.
func (p *project) holds() string {
	p.c.tb.Helper()
	info := asJSON[wire.App](p.c, "apps", "info", "-a", p.name)
	return strings.TrimSpace(p.c.run(p.c.dir, "git", "-C", p.c.dir+"/data/repos/"+info.ID+".git", "for-each-ref", "refs/aorta").out)
}

// A deploy that was aborted serves when it is asked for again; whoever comes in
// between says for whom it waits.
func TestRetry_OfAnAbortedDeployServes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "testapp")
	shop.deploy()
	shop.write("Dockerfile", strings.ReplaceAll(gated, "COPY testapp", "COPY app"))
	commit := shop.commit("gated")
	push := shop.begin()
	shop.atGate()
	first := jobOf(t, push.said())
	c.aorta("jobs", "abort", first)
	push.wait()
	shop.alone(1, "v1")

	again := strings.TrimSpace(c.aorta("jobs", "retry", first, "--detach"))
	shop.atGate()
	scale := strings.TrimSpace(c.aorta("ps", "scale", "-a", "shop", "web=1", "--detach"))
	waiting := asJSON[wire.Job](c, "jobs", "show", scale)
	listed := c.aorta("jobs", "--state", "open", "--wide")
	shop.openGate()
	r := c.run(c.dir, "aorta", "jobs", "follow", again)

	if r.code != 0 || shop.ref() != commit {
		t.Errorf("the retry: exit %d\n%s\nthe ref is at %s, want it to serve %s", r.code, r.err, shop.ref(), commit)
	}
	if w := waiting.WaitsFor; w == nil || w.ID != again || w.User != "admin" || !strings.Contains(listed, "waiting for "+w.Title+" by admin ("+names.ID(again).Short()+")") {
		t.Errorf("got %+v and the list\n%s\nwant the change of scale to wait for the retry", waiting, listed)
	}
	testkit.Eventually(t, "all operations to end", c.idle)
	if got := asJSON[wire.Job](c, "jobs", "show", scale); got.State != "succeeded" {
		t.Errorf("got the change of scale %s (%s), want it done in its turn", got.State, got.Error)
	}
	testkit.Eventually(t, "no hold of a commit that the ref has", func() bool { return shop.holds() == "" })
	shop.alone(1, "v3")
}
