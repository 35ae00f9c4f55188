package main_test

import (
	"strings"
	"testing"

	"aorta/internal/testkit/browser"
	"aorta/web/wire"
)

// A session that is ended elsewhere ends in the open window by itself.
func TestDashboard_EndsWithItsSession(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.newApp("shop", "hello")
	p := c.signedIn(t, "/apps/shop")
	p.AwaitText("Not deployed yet.")
	var session wire.Session
	p.Eval(whoJS, &session)

	if got := c.call("DELETE", "/sessions/"+session.Session, ""); got.status != 204 {
		t.Fatalf("end the session: %d %s", got.status, got.body)
	}
	took := p.Await("the sign-in", `location.pathname === "/login"`)

	t.Logf("the window asked for a token %s after its session ended", took)
	p.AwaitHas("button", "Sign in")
	if p.Reads("shop") {
		t.Errorf("the page still reads\n%s", p.Text())
	}
	if got := p.Path(); got != "/login?next=%2Fapps%2Fshop" {
		t.Errorf("got to %s, want the way back in the address", got)
	}

	p.Type("Token", c.adminToken())
	p.Click("button", "Sign in")
	p.AwaitText("Not deployed yet.")
	beside := p.Beside(t)
	beside.Go(c.api + "/")
	leave(t, beside)
	took = p.Await("the sign-in", `location.pathname === "/login"`)
	t.Logf("the window asked for a token %s after the one beside it signed out", took)

	wellBehaved(t, p, beside)
}

// leave signs out; what was on the page must not come back.
func leave(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Click("", "Signed in as admin")
	p.Click("button", "Sign out")
	p.AwaitHas("button", "Sign in")
	if code := status(p, "GET", "/apps"); code != 401 {
		t.Errorf("got %d from the API after the sign-out, want 401", code)
	}
	p.Back()
	p.AwaitHas("button", "Sign in")
	if p.Reads("shop") {
		t.Errorf("the page shows after the sign-out:\n%s", p.Text())
	}
}

// The command line opens a browser that is signed in: once, and on the page that
// was asked for.
func TestDashboard_IsOpenedSignedInByTheCommandLine(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.aorta("apps", "create", "shop")

	link := strings.TrimSpace(c.aorta("dashboard", "--print", "-a", "shop"))
	address, found := strings.CutPrefix(link, c.api)
	if !found || strings.Contains(link, c.adminToken()) {
		t.Fatalf("got the link %q, want one of %s without a token", link, c.api)
	}
	p := c.window(t, address)
	p.AwaitText("Not deployed yet.")
	if got := p.Path(); got != "/apps/shop" {
		t.Errorf("got to %s, want the app's page", got)
	}
	again := c.window(t, address)
	again.AwaitText("This link was used already or has expired.")
	again.AwaitHas("button", "Sign in")

	wellBehaved(t, p, again)
}
