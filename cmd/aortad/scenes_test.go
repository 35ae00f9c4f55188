package main_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// traffic asks an app again and again until the test ends, as its users do: some
// requests are slow, one in errorEvery fails.
func (p *project) traffic(every time.Duration, errorEvery int) {
	p.c.tb.Helper()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	p.c.tb.Cleanup(func() { close(stop); asking.Wait() })
	asking.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			path := "/echo"
			switch {
			case n%errorEvery == 0:
				path = "/status?code=500"
			case n%31 == 0:
				path = "/slow?ms=" + []string{"40", "90", "160"}[n%3]
			case n%17 == 0:
				path = "/status?code=404"
			case n%23 == 0:
				path = "/log?text=" + url.QueryEscape("cart 17 was paid by card")
			}
			if resp, err := p.request(http.MethodGet, path); err == nil {
				_ = resp.Body.Close()
			}
		}
	})
}

// jobOn is the newest job of an app in a state that somebody asked for.
func (c *cluster) jobOn(app, state string) string {
	c.tb.Helper()
	var id string
	testkit.Eventually(c.tb, "a job of "+app+" to be "+state, func() bool {
		for _, j := range asJSON[[]wire.Job](c, "jobs", "-a", app, "--state", state) {
			if id = j.ID; j.Cause == "" {
				return true
			}
		}
		return false
	})
	return id
}

// while is how long a scene is left alone before it is looked at: long enough
// for the figures, longer where a picture is to show a graph.
func (c *cluster) while(app string) {
	c.tb.Helper()
	enough := int64(30)
	if *shots != "" {
		enough = 2500
	}
	testkit.Eventually(c.tb, "some traffic of "+app, func() bool { return c.stats(app).Requests >= enough })
}

func TestPages_OfABusyCluster(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes)
	shop, blog, search := c.newApp("shop", "hello"), c.newApp("blog", "hello"), c.newApp("search", "testapp")
	c.newApp("next-idea", "hello")
	shop.deploy()
	shop.traffic(25*time.Millisecond, 97)
	c.join("n2", "heart", "https://"+nodes)
	c.aorta("config", "set", "-a", "shop", "GREETING=Good morning", "DATABASE_URL=postgres://shop:s3cret@db/shop")
	c.aorta("ps", "scale", "-a", "shop", "web=3")
	blog.deploy()
	blog.traffic(130*time.Millisecond, 1<<30)
	search.write("aorta.yml", endless)
	search.commit("wait for as long as somebody looks")
	search.deploy()
	shop.commit("Greet people in the morning, and say what they had in their cart when they left without paying")
	shop.deploy()
	c.aorta("domains", "add", "-a", "shop", "www.shop.example.com")
	c.while("shop")
	c.aorta("config", "set", "-a", "search", "--detach", "MODE=gate") // it waits to be told to serve
	running := c.jobOn("search", "open")
	done := c.jobOn("shop", "succeeded")

	walk{t, c, "busy"}.through(
		view{name: "overview", path: "/", shows: "Set MODE of search"},
		view{name: "apps", path: "/apps", shows: "next-idea"},
		view{name: "app", path: "/apps/shop", shows: "n2"},
		view{name: "app-empty", path: "/apps/next-idea", shows: "git push"},
		view{name: "app-releases", path: "/apps/shop/releases", shows: "Greet people"},
		view{name: "roll-back", path: "/apps/shop/releases", shows: "New instances start next to the", before: press("Roll back to v1", "Roll shop back to v1")},
		view{name: "app-builds", path: "/apps/shop/builds", shows: "Greet people"},
		view{name: "app-graphs", path: "/apps/shop/graphs", shows: "Requests", graph: true},
		view{name: "app-logs", path: "/apps/shop/logs", shows: "cart 17"},
		view{name: "app-config", path: "/apps/shop/config", shows: "DATABASE_URL"},
		view{name: "paste", path: "/apps/shop/config", shows: "Lines of KEY=VALUE", before: press("Paste a .env file", "Paste a .env file")},
		view{name: "restart", path: "/apps/shop", shows: "Each old one is stopped", before: press("Restart all of shop", "Restart shop")},
		view{name: "app-domains", path: "/apps/shop/domains", shows: "www.shop.example.com"},
		view{name: "app-settings", path: "/apps/shop/settings", shows: "Destroy"},
		view{name: "destroy", path: "/apps/shop/settings", shows: "To confirm", before: press("Destroy", "Destroy shop")},
		view{name: "jobs", path: "/jobs", shows: "Set MODE of search"},
		view{name: "job-running", path: "/jobs/" + running, shows: "waiting for it to listen on PORT (5000)"},
		view{name: "job-done", path: "/jobs/" + done, shows: "ucceeded"},
		view{name: "nodes", path: "/nodes", shows: "n2"},
		view{name: "node", path: "/nodes/n2", shows: "Ready, with"},
		view{name: "drain", path: "/nodes/n2", shows: " to " + here, before: press("Drain", "Drain n2")},
		view{name: "search", path: "/", shows: "shop", before: press("Search", "Go to")},
	)
}

func TestPages_OfABrokenCluster(t *testing.T) {
	t.Parallel()
	nodes := testkit.FreeAddr(t)
	c := newCluster(t, "--node-listen", nodes, "--dead-after", "6s") // the least: a dead node is waited for
	shop, billing := c.newApp("shop", "hello"), c.newApp("billing", "testapp")
	shop.deploy()
	shop.traffic(30*time.Millisecond, 4)
	second := c.join("n2", "heart", "https://"+nodes)
	c.aorta("ps", "scale", "-a", "shop", "web=4")
	billing.write("Dockerfile", "FROM scratch\nCOPY app /app\nENV MODE=exit:1\nCMD [\"/app\"]\n")
	billing.commit("Ask the bank before the cart is closed")
	billing.push() // it ends at once, and says why
	failed := c.jobOn("billing", "failed")
	second.kill()
	c.while("shop")
	testkit.Eventually(t, "n2 to be taken for silent", func() bool {
		s := asJSON[wire.Status](c, "status")
		return s.NodesReady < s.Nodes
	})

	walk{t, c, "broken"}.through(
		view{name: "overview", path: "/", shows: "n2"},
		view{name: "apps", path: "/apps", shows: "billing"},
		view{name: "app", path: "/apps/shop", shows: "n2"},
		view{name: "app-failed", path: "/apps/billing", shows: "billing"},
		view{name: "app-graphs", path: "/apps/shop/graphs", shows: "Requests", graph: true},
		view{name: "jobs", path: "/jobs", shows: "failed"},
		view{name: "job-failed", path: "/jobs/" + failed, shows: "no database at DATABASE_URL"},
		view{name: "nodes", path: "/nodes", shows: "n2"},
		view{name: "node", path: "/nodes/n2", shows: "What ran here"},
	)
}
