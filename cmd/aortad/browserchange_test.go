package main_test

import (
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/browser"
)

// A person follows an app's log, changes what runs and takes it back, all in the
// page.
func TestDashboard_ChangesWhatRuns(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.bring("testapp")
	shop.deploy()
	p := c.signedIn(t, "/apps/shop")

	p.AwaitText("v1 is running with 1 instance")
	p.Eval("window.stays = true", nil)
	followLogs(t, p, shop)
	scale(t, p, shop)
	setConfig(t, p, shop)
	rollBack(t, p, shop)
	abort(t, p, shop)

	var stays bool
	p.Eval("window.stays === true", &stays)
	if !stays {
		t.Error("the document was loaded anew on the way")
	}
	wellBehaved(t, p)
}

// tab goes to a part of an app.
func tab(p *browser.Page, app, name string) {
	p.Within("navigation", "Parts of "+app).Click("link", name)
}

// followLogs sees lines come by themselves, holds them back, and finds them.
func followLogs(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	tab(p, "shop", "Logs")
	lines := p.Within("log", "Logs of shop")
	lines.AwaitText("hello listens")
	shop.get("/log?text=one-blue-bird")
	lines.AwaitText("one-blue-bird")

	p.Click("button", "Pause")
	beside := p.Beside(t)
	beside.Go(p.URL())
	shop.get("/log?text=two-red-cats")
	beside.Within("log", "Logs of shop").AwaitText("two-red-cats")
	if lines.Reads("two-red-cats") {
		t.Errorf("a paused log reads\n%s\nwant no new line", lines.Text())
	}
	p.Click("button", "Resume")
	lines.AwaitText("two-red-cats")

	p.Type("Search in the logs", "Red-Cats")
	p.Press("Enter")
	lines.AwaitNoText("one-blue-bird")
	lines.AwaitText("two-red-cats")
	var marked []string
	lines.Eval(`function () { return [...this.querySelectorAll("mark")].map((m) => m.textContent); }`, &marked)
	if !slices.Equal(marked, []string{"red-cats"}) {
		t.Errorf("got %q marked, want what was searched for", marked)
	}
	if got := p.Path(); !strings.HasPrefix(got, "/apps/shop/logs?") || !strings.Contains(got, "Red-Cats") {
		t.Errorf("got the address %s, want the search in it", got)
	}
	wellBehaved(t, beside)
}

func scale(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	tab(p, "shop", "Now")
	p.Click("button", "More web")
	p.Click("button", "More web")
	p.AwaitText("2 more web instances will start.")
	p.Click("button", "Apply")
	p.AwaitText("v1 is running with 3 instances.")
	p.Await("a row for each instance", `[...document.querySelectorAll('[aria-label^="Instances"] tbody tr')].filter((r) => r.textContent.includes("running")).length === 3`)
	shop.running(3)
	p.Click("button", "Fewer web")
	p.AwaitText("1 web instance will stop once its traffic is gone.")
	p.Type("How many web", "2")
	p.Press("Enter") // applies, too
	p.AwaitText("v1 is running with 2 instances.")
	shop.alone(2, "v1")
}

const secret = "s3cr3t-of-the-shop"

func setConfig(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	tab(p, "shop", "Config")
	p.AwaitText("No config vars yet.")
	p.Type("Key", "PASSWORD")
	p.Type("Value", secret)
	pasteFile(t, p)
	p.Click("button", "Add another")
	p.Type("Key 4", "PORT")
	p.Click("button", "Set 4 vars")
	p.AwaitFocus("textbox", "Key 4") // the one that is wrong, with why
	p.AwaitText("PORT is set by the platform")
	p.Click("button", "Leave out PORT")
	p.Click("button", "Set 3 vars")
	p.AwaitHas("button", "Show PASSWORD")
	if p.Reads(secret) {
		t.Errorf("the page shows the value without being asked:\n%s", p.Text())
	}
	p.Click("button", "Show PASSWORD")
	p.AwaitText(secret)
	p.Click("button", "Hide PASSWORD")
	p.AwaitNoText(secret)
	p.AwaitText("v2 is running with 2 instances.") // one release for all of them
	shop.alone(2, "v2")
	p.Type("Key", "GREETING")
	p.AwaitText("replaces its present value")
	p.Type("Key", "")
	p.Click("button", "Show GREETING")
	p.AwaitText("Good morning")
}

// pasteFile reads a file into the form, which keeps what was typed before.
func pasteFile(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Click("button", "Paste a .env file")
	dialog := p.Within("dialog", "Paste a .env file")
	dialog.Type("Lines of KEY=VALUE…", "# of the shop\nGREETING=\"Good morning\"\nnonsense\n")
	dialog.Click("button", "Read it")
	dialog.AwaitText("Line 3 is not of the form KEY=VALUE: nonsense")
	dialog.Type("Lines of KEY=VALUE…", "# of the shop\nGREETING=\"Good morning\"\nexport LEVEL=info # said\n")
	dialog.Click("button", "Read it")
	p.AwaitNo("dialog", "…")
	if key, value := p.Value("Key 3"), p.Value("Value 3"); key != "LEVEL" || value != "info" {
		t.Errorf("got %q=%q in the last row, want LEVEL=info", key, value)
	}
	if key := p.Value("Key"); key != "PASSWORD" {
		t.Errorf("got %q in the first row, want what was typed", key)
	}
}

func rollBack(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	tab(p, "shop", "Releases")
	p.Click("button", "Roll back to v1")
	dialog := p.Within("dialog", "Roll shop back to v1")
	dialog.AwaitHas("button", "Roll back")
	dialog.AwaitText("Unset: GREETING, LEVEL, PASSWORD")
	if !dialog.Reads("creates a new release from v1 as it was") || !dialog.Reads("New instances start next to the 2 of v2") {
		t.Errorf("the question before a rollback reads %q, want all that it does", dialog.Text())
	}
	dialog.Click("button", "Roll back")
	p.AwaitNo("dialog", "…")
	p.AwaitText("v3 is running with 2 instances.")
	shop.alone(2, "v3")
	if got := shop.release(); got != "v3" {
		t.Errorf("got an answer of %s through the router, want v3", got)
	}
	tab(p, "shop", "Builds")
	p.Within("table", "Builds").AwaitText("of 1 step")
	tab(p, "shop", "Config")
	p.AwaitText("No config vars yet.")
}

// abort ends a deploy that would never end.
func abort(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	shop.write("Dockerfile", gated)
	shop.commit("waits for good")
	push := shop.begin()
	shop.atGate()
	p.Click("link", "Watch the job")
	p.AwaitText("web.")
	p.Click("button", "Cancel")
	dialog := p.Within("dialog", "Cancel the job")
	dialog.AwaitText("What serves goes on serving.")
	dialog.Click("button", "Cancel the job")
	took := p.AwaitText("Cancelled by admin.")
	t.Logf("the deploy was aborted %s after it was asked for", took)

	if r := push.wait(); r.code == 0 || !strings.Contains(r.err, "cancelled") {
		t.Errorf("the push: exit %d\n%s\nwant it refused as cancelled", r.code, r.err)
	}
	shop.alone(2, "v3")
	testkit.Eventually(t, "the old release to answer", func() bool { return shop.release() == "v3" })
	p.Within("navigation", "Pages").Click("link", "Apps")
	p.Within("table", "Apps").Click("link", "shop")
	p.AwaitText("v3 is running with 2 instances")
}
