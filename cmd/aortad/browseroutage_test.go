package main_test

import (
	"fmt"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"aorta/internal/testkit/browser"
)

// bannerJS tells that the page says so; backJS that it says nothing of the kind.
const (
	bannerJS = `/can't be reached/.test(document.querySelector('[role="alert"]')?.textContent)`
	backJS   = `!/can't be reached|as of \d/.test(document.body.innerText)`
)

// rateJS is the element with an app's requests a second on its first tab.
const rateJS = `[...document.querySelectorAll("dt")].find((d) => d.textContent === "Requests")?.nextElementSibling.querySelector("b")`

// vigil notes each way that the rate is shown from now on: its text, and whether
// it looks as it does while the page is live.
const vigil = `(() => {
	const live = getComputedStyle(` + rateJS + `).color;
	const seen = window.shown = [];
	const look = () => {
		const b = ` + rateJS + `;
		if (!b) return;
		const now = { rate: b.textContent, live: getComputedStyle(b).color === live, said: /as of \d/.test(document.querySelector("header.top, [role=banner], header")?.textContent ?? "") };
		const last = seen.at(-1);
		if (!last || last.rate !== now.rate || last.live !== now.live || last.said !== now.said) seen.push(now);
	};
	new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
	look();
})()`

// shown is one way in which a rate was on the page.
type shown struct {
	Rate string
	Live bool // in the colour of what is true now
	Said bool // with "as of …" at the top
}

// A page outlives the daemon: it says that what it shows is old, and goes on by
// itself.
func TestDashboard_OutlivesTheDaemon(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	p := c.signedIn(t, "/apps/shop")
	l := shop.underLoad(light)
	p.Await("the rate to rise", `parseFloat(`+rateJS+`.textContent) > 5`)
	p.Eval("window.stays = true", nil)
	p.Eval(vigil, nil)
	lines := p.Beside(t)
	lines.Go(c.api + "/apps/shop/logs?q=a-line")
	shop.get("/log?text=a-line-before")
	lines.AwaitText("a-line-before")

	c.kill()
	shop.get("/log?text=a-line-amid") // who serves goes on
	l.halt()
	took := p.Await("the banner", bannerJS)
	t.Logf("the banner was there %s after the daemon's death", took)
	p.AwaitText("as of ")
	old := mutedRate(t, p)
	// Long enough for the rate of now to be another one.
	p.Await("the requests to be of the past", fmt.Sprintf("Date.now() > %d", time.Now().Add(ratesSpan).UnixMilli()))
	if again := mutedRate(t, p); again != old {
		t.Errorf("got the rate %s from %s without a daemon, want what was last known", again, old)
	}
	before := timesShown(t, p)

	c.start()
	took = p.Await("the banner to go", backJS)

	t.Logf("the page was live %s after the daemon was ready", took)
	p.Await("the rate of now", rateJS+`.textContent !== "`+old+`"`)
	var stays bool
	p.Eval("window.stays === true", &stays)
	if !stays {
		t.Error("the document was loaded anew")
	}
	neverStale(t, p, before, old)
	shop.get("/log?text=a-line-after")
	wantOnce(t, lines, "a-line-before", "a-line-amid", "a-line-after")
	wellBehaved(t, p, lines)
}

// wantOnce waits until each text is in the log, once, in their order.
func wantOnce(t *testing.T, p *browser.Page, texts ...string) {
	t.Helper()
	log := p.Within("log", "Logs of shop")
	log.AwaitText(texts[len(texts)-1])
	if got := regexp.MustCompile(`a-line-\w+`).FindAllString(log.Text(), -1); !slices.Equal(got, texts) {
		t.Errorf("got the lines %q, want %q", got, texts)
	}
}

// A daemon that hangs answers nothing and closes nothing: that is told too.
func TestDashboard_OutlivesADaemonThatHangs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.newApp("shop", "hello")
	p := c.signedIn(t, "/apps/shop")
	p.AwaitText("Not deployed yet.")

	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	took := p.Await("the banner", bannerJS)
	t.Logf("the banner was there %s after the daemon hung", took)
	p.AwaitText("as of ")
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	took = p.Await("the banner to go", backJS)
	t.Logf("the page was live %s after the daemon went on", took)

	wellBehaved(t, p)
}

// ratesSpan is longer than what the rates are worked out of.
const ratesSpan = 12 * time.Second

// mutedRate is the rate that is shown, which must look old.
func mutedRate(t *testing.T, p *browser.Page) string {
	t.Helper()
	var list []shown
	p.Eval("window.shown", &list)
	last := list[len(list)-1]
	if last.Live || !last.Said {
		t.Errorf("got %+v while the daemon is dead, want it muted and its time said", last)
	}
	return last.Rate
}

func timesShown(t *testing.T, p *browser.Page) int {
	t.Helper()
	var n int
	p.Eval("window.shown.length", &n)
	return n
}

// neverStale fails the test if the rate of before was ever shown as that of now.
func neverStale(t *testing.T, p *browser.Page, before int, old string) {
	t.Helper()
	var list []shown
	p.Eval("window.shown", &list)
	for _, s := range list[before:] {
		if s.Rate == old && (s.Live || !s.Said) {
			t.Errorf("the rate of before the outage was shown as of now: %+v in %+v", s, list[before:])
		}
	}
}
