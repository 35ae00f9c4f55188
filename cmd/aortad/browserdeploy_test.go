package main_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aorta/internal/testkit/browser"
)

// A person signs in, makes an app, pushes it, sees the deploy happen and the
// traffic come, and leaves.
func TestDashboard_FromTheTokenToTheTraffic(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := c.window(t, "/apps")

	p.AwaitHas("button", "Sign in")
	p.Type("Token", "not-the-token")
	p.Click("button", "Sign in")
	p.Within("alert", "").AwaitText("token")
	p.Type("Token", c.adminToken())
	p.Click("button", "Sign in")
	p.AwaitText("No apps yet.")
	if got := p.Path(); got != "/apps" {
		t.Errorf("got to %s after the sign-in, want back to /apps", got)
	}
	shop := create(c, p, "shop")
	pushAndWatch(t, p, shop)
	trafficShows(t, p, shop)
	leave(t, p)
	wellBehaved(t, p)
}

// create makes an app in the page, and its repository as the page says.
func create(c *cluster, p *browser.Page, name string) *project {
	c.tb.Helper()
	p.Click("button", "New app")
	dialog := p.Within("dialog", "New app")
	dialog.Type("Name…", name)
	dialog.Click("button", "Create it")
	p.Await("the page of the app", `location.pathname === "/apps/`+name+`"`)
	p.AwaitText("git push aorta main")
	p.AwaitText("aorta git:remote -a " + name)
	return c.source(name, "testapp")
}

// record notes in the page the states that each step of a job goes through, how
// many steps there were and what the page's first line said.
const record = `(() => {
	const seen = window.seen = { steps: {}, parents: [], order: [], says: [], rows: [] };
	const look = () => {
		const buttons = [...document.querySelectorAll('[aria-label="Steps"] button')];
		for (const b of buttons) {
			const parts = [...b.children].map((e) => e.textContent.trim()).filter(Boolean);
			const state = parts.slice(1).map((s) => s.match(/^(waiting|ready|running|succeeded|failed|cancelled)/)?.[1]).find(Boolean);
			if (!state) continue;
			const list = seen.steps[parts[0]] ??= [];
			if (!seen.order.includes(parts[0])) seen.order.push(parts[0]);
			if (b.closest("li").querySelector("li") && !seen.parents.includes(parts[0])) seen.parents.push(parts[0]);
			if (list.at(-1) !== state) list.push(state);
		}
		if (seen.rows.at(-1) !== buttons.length) seen.rows.push(buttons.length);
		const says = document.querySelector('main [role="status"]')?.textContent ?? "";
		if (seen.says.at(-1) !== says) seen.says.push(says);
	};
	new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
	look();
})()`

type recorded struct {
	Steps   map[string][]string
	Parents []string // steps that are made of others, and wait for them
	Order   []string
	Says    []string
	Rows    []int
}

// pushAndWatch pushes an app that waits in the middle of its deploy.
func pushAndWatch(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	shop.write("Dockerfile", strings.ReplaceAll(gated, "COPY testapp", "COPY app"))
	shop.commit("a first deploy")
	push := shop.begin()
	p.AwaitText("First deploy")
	p.Eval(record, nil)
	p.Click("link", "Watch the job")
	steps := p.Within("list", "Steps")
	steps.AwaitText("running")
	shop.atGate()
	steps.AwaitText("placed web.") // what is at work shows its log without a click
	shop.openGate()
	p.AwaitText("Succeeded.") // said of the operation, which a step's own event may follow
	p.Await("the end of each step", `Object.values(window.seen.steps).every((states) => states.at(-1) === "succeeded")`)
	push.serves("v1")

	var got recorded
	p.Eval("window.seen", &got)
	wantInOrder(t, got)
	shop.alone(1, "v1")
}

// states are the ones of a job, in the only order that there is.
var states = []string{"waiting", "ready", "running", "succeeded"}

var doneSteps = regexp.MustCompile(`(\d+) of (\d+) steps done`)

func wantInOrder(t *testing.T, got recorded) {
	t.Helper()
	moved := 0
	for step, seen := range got.Steps {
		var places []int
		for i, s := range seen {
			if again := s == "waiting" || s == "ready"; i == 0 || !again || !slices.Contains(got.Parents, step) {
				places = append(places, slices.Index(states, s))
			}
		}
		if !slices.IsSorted(places) || slices.Contains(places, -1) || seen[len(seen)-1] != "succeeded" {
			t.Errorf("step %q went through %q, want them in order and done", step, seen)
		}
		if slices.Contains(seen, "running") {
			moved++
		}
	}
	if len(got.Steps) < 4 || moved < 2 || !slices.IsSorted(got.Rows) {
		t.Errorf("got the steps %v in %v rows, want four or more that come one after the other, two seen at work", got.Steps, got.Rows)
	}
	var counts []int
	for _, says := range got.Says {
		if m := doneSteps.FindStringSubmatch(says); m != nil {
			n, _ := strconv.Atoi(m[1])
			counts = append(counts, n)
		}
	}
	if len(counts) == 0 || !slices.IsSorted(counts) || !slices.Contains(got.Says, "Succeeded.") {
		t.Errorf("the page said %q, want steps that are counted up to the end", got.Says)
	}
	t.Logf("steps in the order of their coming: %q; rows %v", got.Order, got.Rows)
}

// trafficShows asks the app and deploys it again while its graphs are looked at.
func trafficShows(t *testing.T, p *browser.Page, shop *project) {
	t.Helper()
	shop.write("Dockerfile", "FROM scratch\nCOPY app /app\nCMD [\"/app\"]\n")
	shop.bring("hello")
	shop.write("Dockerfile", "FROM scratch\nCOPY hello /app\nCMD [\"/app\"]\n")
	shop.commit("a second deploy")
	shop.deploy()
	follow(p, "Apps")
	p.Within("table", "Apps").Click("link", "shop")
	p.AwaitText("v2 is running with 1 instance")
	p.Within("navigation", "Parts of shop").Click("link", "Graphs")
	p.AwaitText("No request in this range.")

	l := shop.underLoad(light)
	graph := `document.querySelector('[role="img"][aria-label^="Requests, last:"]')`
	p.Await("the graph to rise", `parseFloat(`+graph+`.ariaLabel.match(/2xx ([\d.]+)/)?.[1]) > 1`)
	p.Await("the curve to be drawn", `((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v > 0))(`+graph+`.querySelector("canvas"))`)
	p.Within("navigation", "Parts of shop").Click("link", "Now")
	p.Await("the rate to show", `parseFloat([...document.querySelectorAll("dt")].find((d) => d.textContent === "Requests").nextElementSibling.textContent) > 1`)
	l.halt()

	var series struct{ Marks []struct{ Release string } }
	raw := ""
	p.Eval(`fetch("/api/v1/apps/shop/series?range=10m").then((r) => r.text())`, &raw)
	if err := json.Unmarshal([]byte(raw), &series); err != nil || len(series.Marks) != 2 || series.Marks[1].Release != "v2" {
		t.Errorf("got the marks %v (%v), want v1 and v2", series.Marks, err)
	}
	if !slices.ContainsFunc(p.Requests(), func(r string) bool { return strings.HasPrefix(r, "GET /api/v1/apps/shop/series?range=10m") }) {
		t.Errorf("the page never asked for the series; its requests: %q", p.Requests())
	}
}
