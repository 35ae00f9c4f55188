package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit/browser"
)

// From the first page a person comes to the line of the log that tells why a
// deploy failed, whatever is in it, and settles the matter there.
func TestDashboard_LeadsToTheCause(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "testapp")
	shop.deploy()
	p := c.signedIn(t, "/")
	p.AwaitText("v1")

	shop.configure("MODE", "exit:"+markup+codes)
	needs := p.Within("region", "Needs attention")
	needs.AwaitHas("link", "Set MODE of shop failed: …") // an app's own trouble may come before it, or go
	onlyText(t, p, "what needs attention")
	needs.Click("link", "Set MODE of shop failed: …")
	p.AwaitText(exited)
	p.Within("list", "Steps").AwaitText(markup) // what the process said before it died
	onlyText(t, p, "a failed job")
	failed := p.Path()
	for _, address := range []string{"/jobs?show=failed", "/apps/shop", "/apps/shop/releases"} {
		p.Go(c.api + address)
		p.AwaitText("aorta ")
		onlyText(t, p, address)
	}
	p.Go(c.api + failed)

	p.Click("button", "Retry")
	p.Await("the job of the retry", `location.pathname !== "`+failed+`" && document.body.innerText.includes("`+exited+`")`)
	p.AwaitText("Retry of")
	for _, job := range []string{p.Path(), failed} {
		p.Go(c.api + job)
		p.Click("button", "Discard")
		p.Within("dialog", "Discard the job").Click("button", "Discard it")
		p.AwaitText("discarded by admin")
	}
	p.Within("navigation", "Pages").Click("link", "Overview")
	p.AwaitNo("region", "Needs attention")

	shop.alone(1, "v1")
	wellBehaved(t, p)
}

// exited is why: a program that panics ends so.
const exited = "its process exited with code 2 before it was healthy"

// configure sets a config var, in a release of its own.
func (p *project) configure(key, value string) {
	p.c.tb.Helper()
	body, err := json.Marshal(map[string]map[string]string{"set": {key: value}})
	if err != nil {
		p.c.tb.Fatal(err)
	}
	if got := p.c.call("PATCH", "/apps/"+p.name+"/config", string(body)); got.status >= 300 {
		p.c.tb.Fatalf("set a config var: %d %s", got.status, got.body)
	}
}

// What an address names is there again after a reload, for whoever it is given
// to, and on the way back.
func TestDashboard_AddressesKeepThePlace(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.get("/")
	shop.get("/log?text=one-blue-bird")
	p := c.window(t, "/apps/shop/graphs?range=24h")

	p.Type("Token", c.adminToken())
	p.Click("button", "Sign in")
	pressed := `document.querySelector('[aria-label="Range"] [aria-pressed="true"]').textContent === `
	p.Await("the range of the address", pressed+`"24 h"`)
	p.Click("button", "7 d")
	p.Await("the other range", pressed+`"7 d"`)
	p.Reload()
	p.Await("the same range after a reload", pressed+`"7 d"`)
	p.AwaitText("One point for each hour")
	p.Await("the requests of its first hour", `!document.body.innerText.includes("No request in this range")`)
	tab(p, "shop", "Logs")
	p.Type("Search in the logs", "blue")
	p.Press("Enter")
	p.Within("log", "Logs of shop").AwaitText("one-blue-bird")
	given := p.Beside(t)
	given.Go(p.URL())
	given.Within("log", "Logs of shop").AwaitText("one-blue-bird")
	p.Back()
	p.Await("the graphs on the way back", `location.pathname === "/apps/shop/graphs" && `+pressed+`"7 d"`)
	p.Go(c.api + "/apps/none")
	p.AwaitText("There is no app none.")
	p.Go(c.api + "/nowhere")
	p.AwaitHas("link", "Overview")

	if got := given.Value("Search in the logs"); got != "blue" {
		t.Errorf("got the search %q in a shared address, want blue", got)
	}
	wellBehaved(t, p, given)
}

// Whoever signs in says what their browser is called, and it is shown to them.
func TestDashboard_ShowsBrowsersByTheirWords(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	req, err := http.NewRequest(http.MethodPost, c.api+"/api/v1/session", strings.NewReader(`{"token": "`+c.adminToken()+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", markup)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("sign in with a browser of that name: %s", resp.Status)
	}
	p := c.signedIn(t, "/settings")

	list := p.Within("region", "Where you are signed in")
	list.AwaitText("<img src=x")
	onlyText(t, p, "the sessions")
	list.Click("button", "End the session of <img…")
	list.AwaitNoText("<img src=x")
	list.AwaitText("this session")

	remembersColours(t, p)
	wellBehaved(t, p)
	endsItself(t, p)
}

// remembersColours chooses the dark where the system is light.
func remembersColours(t *testing.T, p *browser.Page) {
	t.Helper()
	ground := func() (colour string) {
		p.Eval("getComputedStyle(document.documentElement).backgroundColor", &colour)
		return colour
	}
	light := ground()
	p.Within("region", "Appearance").Choose("Colours", "dark")
	p.Await("the dark", `getComputedStyle(document.documentElement).backgroundColor !== "`+light+`"`)
	dark := ground()
	p.Reload()
	p.AwaitHas("region", "Appearance")
	if got := ground(); got != dark {
		t.Errorf("got the ground %s after a reload, want it dark as before, %s", got, dark)
	}
}

// endsItself ends the session that the window is in.
func endsItself(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Click("button", "End the session of …")
	p.AwaitHas("button", "Sign in")
	if code := status(p, "GET", "/apps"); code != 401 {
		t.Errorf("got %d from the API without a session, want 401", code)
	}
}
