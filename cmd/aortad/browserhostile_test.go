package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aorta/internal/testkit/browser"
	"aorta/web/wire"
)

// markup is what a page must show and never obey: elements, and codes that
// colour, move the cursor, set a title and turn the writing round.
const markup = "<img src=x onerror=alert(1)><script>alert(2)</script><b onclick=alert(3)>bold</b>\"'&amp;{{7*7}}${1}"

const codes = "\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\x1b]8;;javascript:alert(4)\x1b\\link\x1b]8;;\x1b\\\u202eright to left\u202c"

// What people, apps and commits say is text on every page that shows it.
func TestDashboard_ShowsForeignWordsAsText(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "testapp")
	shop.configure("MODE", markup+codes)
	shop.write("aorta.yml", "processes:\n  web: {}\n  worker:\n    command: '/app "+strings.ReplaceAll(markup, "'", "''")+"'\n")
	shop.commit(markup + codes)
	shop.deploy()
	p := c.signedIn(t, "/apps/shop")
	p.AwaitText("v1 is running")

	for _, address := range []string{"/", "/apps", "/apps/shop", "/apps/shop/releases", "/apps/shop/logs", "/apps/shop/config", "/jobs"} {
		p.Go(c.api + address)
		shown := map[string]string{"/apps/shop": "onerror", "/apps/shop/releases": markup, "/apps/shop/logs": markup, "/apps/shop/config": "MODE"}[address]
		p.AwaitText("aorta ") // each page ends with its command
		p.AwaitText(shown)
		if address == "/apps/shop/config" {
			p.Click("button", "Show MODE")
			p.AwaitText(markup)
		}
		onlyText(t, p, address)
	}
	p.Go(c.api + "/apps/shop/logs?q=" + "%3Cimg")
	p.Await("the search to be marked", `document.querySelector('[role="log"] mark')?.textContent === "<img"`)
	onlyText(t, p, "a search in the log")
	opensLine(t, p)
	wellBehaved(t, p)
}

// onlyText fails the test if something that was said became part of the page.
func onlyText(t *testing.T, p *browser.Page, at string) {
	t.Helper()
	var got struct {
		Elements int
		Controls []string
		Loose    []string
		Title    string
	}
	p.Eval(`(() => {
		const texts = [...document.querySelectorAll("body *")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.includes("\u202e")));
		return {
			elements: document.querySelectorAll("img, iframe, object, embed, [onerror], [onclick], a[href^='javascript:'], body script:not([src^='/assets/'])").length,
			controls: [...document.body.innerText.matchAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g)].map((m) => escape(m[0])),
			loose: texts.filter((e) => !/isolate|plaintext/.test(getComputedStyle(e).unicodeBidi)).map((e) => e.outerHTML.slice(0, 200)),
			title: document.title,
		};
	})()`, &got)
	if got.Elements != 0 || strings.HasPrefix(got.Title, "title") {
		t.Errorf("%s: got %d elements that nobody of us made, title %q, want none", at, got.Elements, got.Title)
	}
	if len(got.Controls) != 0 {
		t.Errorf("%s: got the control codes %q in the text, want them shown or left out", at, got.Controls)
	}
	if len(got.Loose) != 0 {
		t.Errorf("%s: got what turns the writing round in\n%s\nwant it kept to itself", at, strings.Join(got.Loose, "\n"))
	}
}

// opensLine opens a line of the log, which shows all of it.
func opensLine(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Eval(`document.querySelector('[role="log"]').focus()`, nil)
	p.Press("ArrowUp", "Enter")
	p.Within("dialog", "Log line").AwaitText("<img src=x")
	onlyText(t, p, "a line on its own")
	p.Press("Escape")
	p.AwaitNo("dialog", "…")
}

// A name that can't be is refused in the API's own words, and nothing is made.
func TestDashboard_SaysWhyANameIsRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := c.signedIn(t, "/apps")
	p.Click("button", "New app")
	dialog := p.Within("dialog", "New app")

	for _, name := range []string{"Bad_Name", "-x", "<img src=x onerror=alert(1)>", "javascript:alert(1)"} {
		body, _ := json.Marshal(map[string]string{"name": name})
		refused := c.call("POST", "/apps", string(body))
		var problem wire.Problem
		if err := json.Unmarshal([]byte(refused.body), &problem); err != nil || problem.Detail == "" {
			t.Fatalf("the API says %d %s to %q, want why not", refused.status, refused.body, name)
		}
		dialog.Type("Name…", name)
		dialog.Click("button", "Create it")
		dialog.AwaitText(strings.TrimPrefix(problem.Detail, "name: ")) // which the field says
		onlyText(t, p, "the name "+name)
	}
	p.Press("Escape")
	c.newApp("shop", "hello")
	p.Go(c.api + "/apps/shop/domains")
	p.Type("Host…", "<script>alert(1)</script>.example.com")
	p.Press("Enter")
	p.AwaitText("is not a") // the API's words for a host that is none
	onlyText(t, p, "a domain")

	if got := asJSON[[]wire.App](c, "apps"); len(got) != 1 {
		t.Errorf("got the apps %+v, want shop alone", got)
	}
	wellBehaved(t, p)
}

// An address that somebody made up leads to no other place, and what is in it is
// text.
func TestDashboard_AddressesLeadNowhereElse(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(other.Close)
	away := strings.TrimPrefix(other.URL, "http:") // //host:port
	p := c.signedIn(t, "/login?next="+url.QueryEscape(away+"/"))
	p.AwaitText("No apps yet.")

	for _, next := range []string{"/login", "/login?next=/login", other.URL, away, "/" + "\\" + away[2:], "\\\\" + away[2:], "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "/\t/" + away[2:], "//user@" + away[2:] + "/apps"} {
		p.Go(c.api + "/login?next=" + url.QueryEscape(next))
		p.AwaitHas("link", "Overview")
		if got := p.URL(); !strings.HasPrefix(got, c.api+"/") {
			t.Errorf("next=%q led to %s", next, got)
		}
		onlyText(t, p, "next="+next)
	}
	for _, address := range []string{"/apps/", "/jobs/", "/nowhere/"} {
		p.Go(c.api + address + url.PathEscape(markup))
		p.AwaitText("There is no")
		onlyText(t, p, address)
	}
	p.Go(c.api + "/apps?q=" + url.QueryEscape(markup) + "#" + url.PathEscape(markup))
	p.AwaitText("No apps yet.")
	onlyText(t, p, "a query")

	wellBehaved(t, p)
}

// A page of somebody else can do nothing with the session of who looks at it.
func TestDashboard_OtherPagesCantUseItsSession(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.newApp("shop", "hello")
	own := c.signedIn(t, "/apps")
	var before, after wire.Session
	own.Eval(whoJS, &before)
	state := c.seen("shop")
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!doctype html><title>other</title>
			<form method="post" action="%[1]s/api/v1/apps" enctype="text/plain"><input name='{"name":"forged","x":"' value='"}'><button>Win</button></form>
			<iframe src="%[1]s/apps" title="framed"></iframe>`, c.api)
	}))
	t.Cleanup(other.Close)
	p := own.Beside(t)
	p.Go(other.URL)

	for _, request := range append(forged, signIn(c.adminToken())) {
		var got string
		p.Eval(fmt.Sprintf(`fetch(%q, %s).then((r) => r.type + " " + r.status, () => "failed")`, c.api+"/api/v1"+request.path, request.how), &got)
		if got != request.want {
			t.Errorf("%s %s: got %q, want %q", request.path, request.how, got, request.want)
		}
	}
	framed(t, p)
	p.Click("button", "Win")
	p.Await("the answer to the form", `document.body?.innerText.includes("403")`)

	if now := c.seen("shop"); now != state {
		t.Errorf("got\n%s\nwant what was before:\n%s", now, state)
	}
	own.Eval(whoJS, &after)
	if before.Session == "" || after.Session != before.Session {
		t.Errorf("got the session %q, want %q to go on", after.Session, before.Session)
	}
	wellBehaved(t, own)
}

// whoJS asks, as the page does, whose session it is.
const whoJS = `fetch("/api/v1/session").then((r) => r.json())`

type forgery struct{ path, how, want string }

// signIn would leave whoever looks at the page in somebody else's session.
func signIn(token string) forgery {
	return forgery{"/session", fmt.Sprintf(`{credentials: "include", mode: "no-cors", method: "POST", body: '{"token": %q}'}`, token), "opaque 0"}
}

// forged are requests that another origin sends with the cookies that there
// are. What needs leave to be sent fails before it is sent; the rest can't be
// read, and is counted on the server's side.
var forged = []forgery{
	{"/apps", `{credentials: "include"}`, "failed"},
	{"/apps", `{credentials: "include", mode: "no-cors", method: "POST", body: '{"name": "forged"}'}`, "opaque 0"},
	{"/apps", `{credentials: "include", method: "POST", headers: {"Content-Type": "application/json"}, body: '{"name": "forged"}'}`, "failed"},
	{"/apps/shop", `{credentials: "include", method: "DELETE"}`, "failed"},
	{"/apps/shop/stop", `{credentials: "include", mode: "no-cors", method: "POST"}`, "opaque 0"},
	{"/session", `{credentials: "include", method: "DELETE"}`, "failed"},
}

// framed wants the frame of the other page to show nothing of ours.
func framed(t *testing.T, p *browser.Page) {
	t.Helper()
	refused := func() bool {
		for _, problem := range p.Problems() {
			if strings.Contains(problem, "frame-ancestors") {
				return true
			}
		}
		return false
	}
	if !refused() {
		t.Errorf("got the problems %q, want the frame refused by frame-ancestors", p.Problems())
	}
	var shown bool
	p.Eval(`(() => { try { return !!document.querySelector("iframe").contentDocument?.body?.innerText; } catch { return false; } })()`, &shown)
	if shown {
		t.Error("the frame shows the dashboard")
	}
}
