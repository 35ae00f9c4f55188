package main_test

import (
	"testing"

	"aorta/internal/testkit/browser"
)

// manyTabs is more than the six connections that a browser has for one host,
// over all its tabs.
const manyTabs = 9

// liveJS tells that a page says of nothing that it is old.
const liveJS = `/Not deployed yet/.test(document.body.innerText) && !/as of \d/.test(document.body.innerText)`

// Each tab that is looked at is live, however many there are behind it.
func TestDashboard_LivesInManyTabs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.newApp("shop", "hello")
	window := c.signedIn(t, "/apps")
	var tabs []*browser.Page
	open := func() {
		p := window.Tab(t)
		p.Go(c.api + "/apps/shop")
		p.Await("the page to live", liveJS)
		tabs = append(tabs, p)
	}

	for range manyTabs {
		open()
	}
	var hidden bool
	tabs[0].Eval("document.hidden", &hidden)
	if !hidden {
		t.Error("the first tab is in sight behind the others")
	}
	for _, p := range tabs {
		p.Show()
		p.Await("a tab to live that is shown again", "!document.hidden && "+liveJS)
	}
	c.aorta("apps", "destroy", "shop", "--confirm", "shop")
	tabs[manyTabs-1].AwaitText("There is no app shop.")

	wellBehaved(t, tabs...)
}
