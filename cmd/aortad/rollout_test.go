package main_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"aorta/web/wire"
)

// heavy is what an app gets while it is changed; light is for a bystander.
var (
	heavy = rate{gets: 100, posts: 20}
	light = rate{gets: 20, posts: 5}
)

// No request fails, goes astray or is lost to the statistics while releases
// follow one another.
func TestRollout_DeploysUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop, store := c.newApp("shop", "hello"), c.newApp("store", "hello")
	shop.write("Dockerfile", "FROM scratch\nCOPY app /app\nCOPY change /change\nCMD [\"/app\"]\n")
	shop.write("change", "1")
	shop.commit("a file to change")
	shop.deploy()
	store.deploy()
	changed, bystander := shop.underLoad(heavy), store.underLoad(light)

	var changes []change
	for n := 2; n <= 6; n++ {
		shop.write("change", fmt.Sprint(n))
		shop.commit(fmt.Sprint("change ", n))
		if said := shop.deploy(); !strings.Contains(said, fmt.Sprintf("v%d serves", n)) {
			t.Errorf("the push said:\n%s\nwant v%d to serve", said, n)
		}
		changes = append(changes, change{time.Now(), n})
	}
	shop.alone(1, "v6")

	keepsTo(t, changed.end(0), changes)
	bystander.end(0)
	store.alone(1, "v1")
}

// The same holds for every other change of what runs.
func TestRollout_ChangesUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.write("aorta.yml", "processes:\n  web:\n    stop_grace: 1s\n")
	shop.bring("testapp")
	shop.deploy()
	l := shop.underLoad(heavy)
	long := shop.longRequest(5 * time.Second)

	c.aorta("ps", "restart", "-a", "shop")
	c.aorta("ps", "scale", "-a", "shop", "web=3")
	shop.alone(3, "v1")
	c.aorta("ps", "scale", "-a", "shop", "web=1")
	shop.alone(1, "v1")
	was := shop.containers()[0]
	c.aorta("ps", "restart", "-a", "shop")
	shop.alone(1, "v1")
	if now := shop.containers()[0]; now == was {
		t.Error("after a restart: got the same container")
	}
	c.aorta("config", "set", "-a", "shop", "COLOR=blue")
	changes := []change{{time.Now(), 2}}
	shop.alone(1, "v2")
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	c.aorta("rollback", "-a", "shop", "v1")
	changes = append(changes, change{time.Now(), 3})
	shop.alone(2, "v3")
	c.aorta("ps", "restart", "-a", "shop", shop.running(2)[0].ID)
	shop.alone(2, "v3")
	c.aorta("ps", "scale", "-a", "shop", "web=1")
	shop.abortAtStart()
	shop.alone(1, "v3")

	if err := <-long; err != nil {
		t.Errorf("a request that was under way when its instance was replaced: %v", err)
	}
	keepsTo(t, l.end(1), changes)
}

// longRequest asks for an answer that takes its time: longer than the app gives
// an instance after SIGTERM, shorter than a drain may last.
func (p *project) longRequest(takes time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() { // ends with its answer, or with the connection
		resp, err := p.request("GET", fmt.Sprintf("/slow?ms=%d", takes.Milliseconds()))
		if err == nil {
			var body []byte
			body, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err == nil && !strings.HasPrefix(string(body), "waited ") {
				err = fmt.Errorf("got %d %.200s", resp.StatusCode, body)
			}
		}
		ended <- err
	}()
	return ended
}

// abortAtStart pushes an app that never listens and ends the deploy while its
// instance starts.
func (p *project) abortAtStart() {
	tb := p.c.tb
	tb.Helper()
	served := p.ref()
	p.write("Dockerfile", gated)
	p.commit("waits for good")
	push := p.begin()
	p.atGate()
	id := jobOf(tb, push.said())

	p.c.aorta("jobs", "abort", id)

	r := push.wait()
	if r.code == 0 || !strings.Contains(r.err, "! [remote rejected] main -> main (cancelled") {
		tb.Errorf("an aborted push: exit %d\n%s\nwant it refused as cancelled", r.code, r.err)
	}
	if got := asJSON[wire.Job](p.c, "jobs", "show", id); got.State != "aborted" {
		tb.Errorf("got the job %s, want it aborted", got.State)
	}
	if got := p.ref(); got != served {
		tb.Errorf("got the ref at %s, want it where it was, %s", got, served)
	}
	if got := p.c.releases(p.name)[0]; got.State != "failed" || !strings.Contains(got.Error, "cancelled") {
		tb.Errorf("got release %s %s (%s), want it failed as cancelled", got.Release, got.State, got.Error)
	}
}
