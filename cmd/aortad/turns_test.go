package main_test

import (
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// What needs no build goes on while one runs: nobody waits for it in an incident.
func TestTurns_ABuildHoldsNothingUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "testapp")
	shop.deploy()
	shop.write("Dockerfile", "FROM scratch\nCOPY app /app\nENV MODE=silent\nRUN [\"/app\", \""+c.id()+"\"]\n") // which never ends
	shop.commit("never built")
	push := shop.begin()
	push.says("testapp begins")

	for _, args := range [][]string{{"ps", "scale", "web=2"}, {"config", "set", "A=1"}, {"ps", "restart"}, {"rollback", "v1"}, {"ps", "stop"}, {"ps", "start"}} {
		if r := c.run(shop.dir, "aorta", args...); r.code != 0 || strings.Contains(r.out+r.err, "Waiting for another job") {
			t.Errorf("aorta %v: exit %d\n%s%s\nwant it done while the build goes on", args, r.code, r.out, r.err)
		}
	}

	if !strings.Contains(c.aorta("builds", "-a", "shop"), "running") {
		t.Errorf("the build has ended:\n%s", push.said())
	}
	shop.alone(2, "v3")
	c.aorta("builds", "cancel", "-a", "shop")
	if r := push.wait(); r.code == 0 || !strings.Contains(r.err, "v3 goes on serving") {
		t.Errorf("exit %d\n%s\nwant the push cancelled, and what serves by now named", r.code, r.err)
	}
}

// A deploy that is built goes on once those in front of it have ended, and says so.
func TestTurns_ABuiltDeployWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "testapp")
	shop.write("Dockerfile", strings.ReplaceAll(gated, "COPY testapp", "COPY app"))
	shop.commit("gated")
	first := shop.begin()
	shop.openGate()
	first.serves("v1")
	c.aorta("config", "set", "A=1", "-a", "shop", "--detach")
	shop.atGate()

	serves := func(release string) bool { return asJSON[wire.App](c, "apps", "info", "-a", "shop").Release == release }

	c.aorta("deploy", shop.dir, "-a", "shop", "--detach")
	var waits wire.Job
	testkit.Eventually(t, "the deploy to be built and wait", func() bool {
		for _, j := range asJSON[[]wire.Job](c, "jobs", "-a", "shop") {
			if j.Kind == "deploy" && j.WaitsFor != nil {
				waits = j
			}
		}
		return waits.ID != ""
	})
	shown := c.aorta("jobs", "show", waits.ID)
	shop.openGate()
	testkit.Eventually(t, "the config var to be live", func() bool { return serves("v2") })
	shop.openGate()

	testkit.Eventually(t, "the deploy to serve", func() bool { return serves("v3") })
	if !strings.Contains(shown, "✓ Build") || !strings.Contains(shown, "▸ Wait") || !strings.Contains(shown, "to end: Set A of shop") {
		t.Errorf("got\n%s\nwant it built, waiting for the config var", shown)
	}
	for _, change := range asJSON[[]wire.Release](c, "releases", "-a", "shop") {
		if (change.Release == "v2") != (change.Message == "Set A") && change.Release != "v1" {
			t.Errorf("got %s of %q, want the config var's as v2, the deploy's behind it", change.Release, change.Message)
		}
	}
}
