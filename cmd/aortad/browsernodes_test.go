package main_test

import (
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/browser"
)

// An operator empties a node and fills it again, loses it, and sees what waits and why,
// all in the page.
func TestDashboard_EmptiesAndLosesANode(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes, "--dead-after", "90s") // so that there is time to say so first
	shop := c.newApp("shop", "hello")
	shop.deploy()
	n2 := c.join("n2", "heart", "https://"+nodes)
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	p := c.signedIn(t, "/nodes")

	p.Within("table", "Nodes").Click("link", "n2")
	p.AwaitText("Ready, with 1 instance.")
	p.Eval("window.stays = true", nil)
	drainThere(t, p, shop)
	undrainThere(t, p, shop)
	loseThere(t, p, shop, n2)

	var stays bool
	p.Eval("window.stays === true", &stays)
	if !stays {
		t.Error("the document was loaded anew on the way")
	}
	wellBehaved(t, p)
}

// drainThere is told first what would move where.
func drainThere(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	p.Click("button", "Drain")
	dialog := p.Within("dialog", "Drain n2")
	dialog.AwaitText("1 instance moves: 1 to " + here + ".")
	dialog.Click("button", "Cancel")
	p.AwaitNo("dialog", "…")
	if at := shop.spread(2); at["n2"] != 1 {
		t.Fatalf("got instances at %v after a drain that was not wanted, want one still on n2", at)
	}
	p.Click("button", "Drain")
	dialog.AwaitText("1 to " + here)
	p.Listen()
	dialog.Click("button", "Drain")
	p.AwaitText("Drained: nothing runs here, and nothing new starts here.")
	p.AwaitSaid("Drain n2: done.")
	if at := shop.spread(2); at[here] != 2 {
		t.Errorf("got instances at %v, want both on %s", at, here)
	}
}

func undrainThere(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	p.Click("button", "Undrain")
	p.Within("dialog", "Undrain n2").Click("button", "Undrain")
	p.AwaitText("Ready, with 1 instance.") // it has fewer than the other
	if at := shop.spread(2); at["n2"] != 1 {
		t.Errorf("got instances at %v, want one on n2 again", at)
	}
}

// loseThere has n2 count as dead with what fits nowhere else, until it does.
func loseThere(t *testing.T, p *browser.Page, shop *project, n2 *cluster) {
	t.Helper()
	c := shop.c
	c.aorta("nodes", "tag", "n2", "disk=ssd")
	c.aorta("ps", "type", "web", "--require", "disk=ssd", "-a", "shop")
	p.AwaitText("Ready, with 2 instances.")
	n2.kill()
	p.AwaitText("Silent: what is shown of it is what it reported last.")
	p.Click("button", "Declare dead")
	dialog := p.Within("dialog", "Declare n2 dead")
	dialog.AwaitText("2 web of shop find no other node:")
	dialog.AwaitText(here + " lacks tag disk=ssd")
	dialog.Click("button", "Declare dead")
	p.AwaitText("Dead: 2 instances of 2 not replaced yet.")
	p.Within("table", "Instances on n2").AwaitText(here + " lacks tag disk=ssd")
	p.Within("region", "Needs attention").AwaitText("Node n2 is dead")

	c.aorta("ps", "type", "web", "--require", "", "-a", "shop")
	p.AwaitText("Dead: all that ran here runs elsewhere.")
	follow(p, "Nodes")
	p.AwaitText("1 of 2 nodes is not ready: n2 (dead).")
}
