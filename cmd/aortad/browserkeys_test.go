package main_test

import (
	"testing"

	"aorta/internal/testkit/browser"
)

// All that is done with a mouse is done without one. Nothing here clicks; the
// focus is seen wherever it goes.
func TestDashboard_ByKeyboardAlone(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	store := c.newApp("store", "hello")
	store.deploy()
	p := c.window(t, "/apps")

	p.AwaitHas("button", "Sign in")
	if f := p.Focus(); f.Name != "Token" {
		p.TabTo("textbox", "Token")
	}
	p.Write(c.adminToken())
	p.Press("Enter")
	p.AwaitHas("button", "New app")
	createByKeys(t, p)
	scaleByKeys(t, p, store)
	destroyByKeys(t, p)

	for _, app := range asJSON[[]struct{ Name string }](c, "apps") {
		if app.Name == "shop" {
			t.Error("shop is still there")
		}
	}
	wellBehaved(t, p)
}

// createByKeys leaves the dialog once, and comes back to where it was opened.
func createByKeys(t *testing.T, p *browser.Page) {
	t.Helper()
	p.TabTo("button", "New app")
	p.Press("Enter")
	p.AwaitHas("dialog", "New app")
	staysInside(t, p, "New app")
	p.Press("Escape")
	p.AwaitNo("dialog", "New app")
	p.AwaitFocus("button", "New app") // it is given back
	p.Press("Space")
	p.AwaitHas("dialog", "New app")
	p.AwaitFocus("textbox", "Name…")
	p.Write("shop")
	p.Press("Enter")
	p.Await("the page of the app", `location.pathname === "/apps/shop"`)
	p.AwaitText("Not deployed yet.")
}

// staysInside walks once round a dialog, both ways.
func staysInside(t *testing.T, p *browser.Page, title string) {
	t.Helper()
	dialog := p.Within("dialog", title)
	for _, key := range []string{"Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"} {
		p.Press(key)
		if f := p.Focus(); f != (browser.Focus{}) && !dialog.Focused() {
			t.Errorf("%s in the dialog %s led out of it, to %s", key, title, f)
		}
	}
}

// scaleByKeys goes to an app by the search and changes how many it has.
func scaleByKeys(t *testing.T, p *browser.Page, store *project) {
	t.Helper()
	search(p, "store")
	p.Await("the page of the app", `location.pathname === "/apps/store"`)
	p.AwaitText("v1 is running with 1 instance")
	p.TabTo("button", "More web")
	p.Press("Enter")
	p.AwaitText("1 more web instance will start.")
	p.TabTo("button", "Apply")
	p.Press("Enter", "Enter") // a hand that trembles asks once
	p.AwaitText("v1 is running with 2 instances.")
	store.running(2)
	if got := asked(p, "PATCH /api/v1/apps/store/formation"); got != 1 {
		t.Errorf("got %d requests to scale, want one", got)
	}
	p.TabBackTo("link", "Logs")
	p.Press("Enter")
	p.Within("log", "Logs of store").AwaitText("hello listens")
}

// asked is how often the page sent a request.
func asked(p *browser.Page, request string) (n int) {
	for _, r := range p.Requests() {
		if r == request {
			n++
		}
	}
	return n
}

// search goes to an app as who knows its name does.
func search(p *browser.Page, app string) {
	p.Press("/")
	p.AwaitHas("dialog", "Go to")
	p.Press("Escape")
	p.AwaitNo("dialog", "Go to")
	p.Press("Ctrl+k")
	p.AwaitHas("dialog", "Go to")
	p.Write(app)
	p.Within("dialog", "Go to").AwaitHas("option", "app "+app)
	p.Press("Enter")
	p.AwaitNo("dialog", "Go to")
}

func destroyByKeys(t *testing.T, p *browser.Page) {
	t.Helper()
	search(p, "shop")
	p.Await("the page of the app", `location.pathname === "/apps/shop"`)
	p.AwaitText("Not deployed yet.")
	p.TabTo("link", "Settings")
	p.Press("Enter")
	p.AwaitHas("button", "Destroy")
	p.TabTo("button", "Destroy")
	p.Press("Enter")
	p.AwaitHas("dialog", "Destroy shop")
	p.AwaitFocus("textbox", "To confirm, type shop")
	staysInside(t, p, "Destroy shop")
	p.TabTo("textbox", "To confirm, type shop")
	p.Write("shot")
	p.Press("Enter")
	if !p.Has("dialog", "Destroy shop") {
		t.Error("another name destroyed the app")
	}
	p.Press("Backspace")
	p.Write("p")
	p.TabTo("button", "Destroy…")
	p.Listen()
	p.Press("Enter")
	p.AwaitNo("dialog", "Destroy shop")
	p.Await("the page of all apps", `location.pathname === "/apps"`)
	p.AwaitSaid("Destroy shop: done.")
	p.Within("table", "Apps").AwaitText("store")
	p.AwaitNo("link", "shop")
}
