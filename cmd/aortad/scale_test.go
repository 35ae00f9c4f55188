package main_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"aorta/heart/score"
	"aorta/internal/testkit"
	"aorta/web/wire"
)

// A scaling that finds no room now fails, says why, and leaves the app as it was:
// the next change has nothing of it to carry.
func TestScale_ThatFindsNoRoomIsTakenBack(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop, filler := c.newApp("shop", "hello"), c.newApp("filler", "hello")
	shop.deploy()
	raw, err := os.ReadFile("/proc/meminfo")
	testkit.Must(t, err)
	total, _, err := score.ParseMeminfo(raw)
	testkit.Must(t, err)
	// What is left then holds two instances of shop, of 512 MB each, and not three.
	filler.write("aorta.yml", fmt.Sprintf("processes: {web: {memory: %dm}}\n", total>>20-1200))
	filler.commit("large")
	filler.deploy()

	r := c.run(c.dir, "aorta", "ps", "scale", "-a", "shop", "web=3")

	if r.code != 1 || !strings.Contains(r.err, "memory left") || !strings.Contains(r.err, "The formation is as before: web=1") {
		t.Errorf("exit %d\n%s\nwant it to fail with the reason and what stays", r.code, r.err)
	}
	if f := asJSON[[]wire.Process](c, "ps", "scale", "-a", "shop"); len(f) != 1 || f[0].Quantity != 1 {
		t.Errorf("got the formation %+v, want web=1", f)
	}
	c.aorta("config", "set", "-a", "shop", "GREETING=hi")
	shop.alone(1, "v2")
	if code, _ := shop.get("/"); code != http.StatusOK {
		t.Errorf("got %d, want it to serve", code)
	}
}
