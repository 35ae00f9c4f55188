package main_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"aorta/web/wire"
)

// An app runs where its tags say: what no node has is refused with what to do, and
// leaves all as it was; what one has is taken, from aorta.yml and by hand.
func TestTags_AreAskedForAndSet(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	node := asJSON[[]wire.Node](c, "nodes")[0].Name

	refused := c.run(c.dir, "aorta", "ps", "type", "web", "--require", "ssd", "-a", "shop")
	shop.write("aorta.yml", "processes: {web: {tags: {require: [ssd, zone=a]}}}\n")
	shop.commit("on other nodes")
	pushed := shop.push()
	c.aorta("nodes", "tag", node, "ssd", "zone=a")
	same := c.run(c.dir, "aorta", "plan", "ps", "scale", "web=1", "-a", "shop")
	more := c.run(c.dir, "aorta", "plan", "ps", "scale", "web=2", "-a", "shop")
	drain := c.run(c.dir, "aorta", "plan", "drain", node)
	c.aorta("ps", "type", "web", "--require", "ssd", "-a", "shop")
	f := asJSON[[]wire.Process](c, "ps", "scale", "-a", "shop")

	if refused.code != 5 || !strings.Contains(refused.err, node+" lacks tag ssd") {
		t.Errorf("exit %d\n%s\nwant what the node lacks", refused.code, refused.err)
	}
	if pushed.code == 0 || !strings.Contains(pushed.err, node+" lacks tags ssd and zone=a") {
		t.Errorf("push: exit %d\n%s\nwant what the node lacks", pushed.code, pushed.err)
	}
	if same.code != 0 || more.code != 10 || !strings.Contains(more.out, "start  shop  web") || drain.code != 1 || !strings.Contains(drain.err, "1 web of shop would find no node") {
		t.Errorf("plans: got %+v, %+v and %+v, want nothing, a start, and an instance that finds no node", same, more, drain)
	}
	if len(f) != 1 || !slices.Equal(f[0].Require, []string{"ssd"}) || !slices.Equal(f[0].Set, []string{"require"}) {
		t.Errorf("got the formation %+v, want web to require ssd", f)
	}
	shop.alone(1, "v1")
	if code, _ := shop.get("/"); code != http.StatusOK {
		t.Errorf("got %d, want it to serve", code)
	}
}
