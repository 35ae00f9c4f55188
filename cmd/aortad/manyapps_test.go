package main_test

import (
	"database/sql"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aorta/internal/testkit/browser"
	"aorta/web/wire"
)

const (
	manyApps     = 1000
	manyReleases = 200
)

// figures makes a measurement of what is otherwise only seen to work.
var figures = flag.Bool("pages.figures", false, "measure the pages of a thousand apps for as long as figures need")

// grow gives the cluster more apps and the app more releases, as they would be
// in its database after years. The daemon must be down.
func (p *project) grow() {
	p.c.tb.Helper()
	db, err := sql.Open("sqlite", filepath.Join(p.c.dir, "data/aorta.db"))
	if err != nil {
		p.c.tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	numbers := fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, manyApps-1)
	for _, text := range []string{
		numbers + `INSERT INTO apps (id, workspace_id, name, created_at)
			SELECT substr(a.id, 1, 24) || printf('%012x', i), a.workspace_id, printf('app-%04d', i), a.created_at FROM n, apps a WHERE a.name = '` + p.name + `'`,
		`INSERT INTO domains (host, app_id, own, created_at) SELECT name || '.aorta.localhost', id, 1, created_at FROM apps WHERE name LIKE 'app-%'`,
		`UPDATE releases SET number = number + ` + fmt.Sprint(manyReleases-1),
		numbers + `INSERT INTO releases (id, app_id, number, build_id, operation_id, state, image, processes, config, commit_id, message, username, created_at)
			SELECT substr(r.id, 1, 24) || printf('%012x', i), r.app_id, i, r.build_id, substr(r.id, 1, 24) || printf('%012x', i), 'retired', r.image, r.processes,
			r.config, printf('%040x', i), 'Change number ' || i, r.username, r.created_at - 3600000000000 * (` + fmt.Sprint(manyReleases) + ` - i)
			FROM n, releases r WHERE i < ` + fmt.Sprint(manyReleases) + ` AND r.number = ` + fmt.Sprint(manyReleases),
	} {
		if _, err := db.Exec(text); err != nil {
			p.c.tb.Fatalf("%v in\n%s", err, text)
		}
	}
}

// hum writes a request of every app into the router's access log each second, as
// nginx would, until the test ends: every row of every page changes.
func (c *cluster) hum() {
	c.tb.Helper()
	var list struct{ Items []wire.App }
	list.Items = asJSON[[]wire.App](c, "apps")
	log, err := os.OpenFile(c.dir+"/data/router/access.log", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		c.tb.Fatal(err)
	}
	sample := c.sampleLine()
	stop := make(chan struct{})
	var writing sync.WaitGroup
	c.tb.Cleanup(func() { close(stop); writing.Wait(); _ = log.Close() })
	writing.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case now := <-tick.C:
				var text strings.Builder
				for i, app := range list.Items {
					for range 1 + (i+n)%4 {
						text.WriteString(sample(app.ID, now))
					}
				}
				_, _ = io.WriteString(log, text.String())
			}
		}
	})
}

// sampleLine takes a line of the access log as the form of others.
func (c *cluster) sampleLine() func(app string, at time.Time) string {
	c.tb.Helper()
	raw, err := os.ReadFile(c.dir + "/data/router/access.log")
	if err != nil {
		c.tb.Fatal(err)
	}
	line, _, found := strings.Cut(string(raw), "\n")
	begin, rest, ok := strings.Cut(line, `"app":"`)
	_, end, closed := strings.Cut(rest, `"`)
	_, begin, timed := strings.Cut(begin, ",")
	if !found || !ok || !closed || !timed {
		c.tb.Fatalf("no request of an app begins the access log: %q", line)
	}
	return func(app string, at time.Time) string {
		return fmt.Sprintf(`{"time":%.3f,%s"app":"%s"%s`+"\n", float64(at.UnixMilli())/1000, begin, app, end)
	}
}

// pacing is how smoothly a page was shown for a while.
type pacing struct {
	Frames  int     // that were drawn
	Worst   float64 // milliseconds between two frames, the longest
	P99     float64 // milliseconds between two frames
	Blocked float64 // milliseconds that tasks of over 50 ms took beyond these
	Seconds float64
}

// pacingJS scrolls down and up again for some milliseconds and watches the frames.
const pacingJS = `new Promise((done) => {
	let blocked = 0;
	new PerformanceObserver((list) => { for (const e of list.getEntries()) blocked += e.duration - 50; }).observe({type: "longtask"});
	const gaps = [], begin = performance.now();
	let last = begin;
	const frame = (now) => {
		gaps.push(now - last);
		last = now;
		const at = ((now - begin) / 1000) %% 2;
		scrollTo(0, (document.documentElement.scrollHeight - innerHeight) * (at < 1 ? at : 2 - at));
		if (now - begin < %d) return requestAnimationFrame(frame);
		gaps.sort((a, b) => a - b);
		scrollTo(0, 0);
		done({Frames: gaps.length, Worst: gaps.at(-1), P99: gaps[Math.floor(gaps.length * 0.99)], Blocked: blocked, Seconds: (now - begin) / 1000});
	};
	requestAnimationFrame(frame);
})`

func paced(p *browser.Page) pacing {
	long := 500
	if *figures {
		long = 5000
	}
	var got pacing
	p.Eval(fmt.Sprintf(pacingJS, long), &got)
	return got
}

func (g pacing) String() string {
	return fmt.Sprintf("%.0f frames a second while it is scrolled, 99 of 100 within %.0f ms, the longest %.0f ms; %.0f ms blocked", float64(g.Frames)/g.Seconds, g.P99, g.Worst, g.Blocked)
}

// firstPaint is the milliseconds from a page's request to its first content.
func firstPaint(p *browser.Page, address string) float64 {
	p.Go(address)
	var ms float64
	p.Await("the first paint", `performance.getEntriesByName("first-contentful-paint").length > 0`)
	p.Eval(`performance.getEntriesByName("first-contentful-paint")[0].startTime`, &ms)
	return ms
}

// besidePlain measures the first paint of a page beside that of a page with
// nothing but a word, in turn, and gives the medians.
func besidePlain(t *testing.T, p *browser.Page, address string) (ours, plain float64) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>plain</title><p>plain</p>`)
	}))
	t.Cleanup(srv.Close)
	rounds := 1
	if *figures {
		rounds = 7
	}
	var a, b []float64
	for range rounds {
		a = append(a, firstPaint(p, address))
		b = append(b, firstPaint(p, srv.URL))
	}
	slices.Sort(a)
	slices.Sort(b)
	return a[len(a)/2], b[len(b)/2]
}

// scriptBytes is what the scripts weigh in gzip, all that are loaded late included.
func scriptBytes(tb testing.TB) (sum int64) {
	tb.Helper()
	files, err := filepath.Glob("../../web/dashboard/dist/assets/*.js.gz")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no scripts of the dashboard: %v (make dashboard builds them)", err)
	}
	for _, f := range files {
		at, err := os.Stat(f)
		if err != nil {
			tb.Fatal(err)
		}
		sum += at.Size()
	}
	return sum
}

// Every app of a thousand changes each second, one has two hundred releases: all
// can be found, and the page stays whole. The figures are for people.
func TestPages_WithAThousandApps(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.serve(1)
	c.aorta("ps", "stop", "-a", "shop")
	c.term()
	shop.grow()
	c.start()
	p := c.signedIn(t, "/apps")
	c.hum()

	p.AwaitText(fmt.Sprintf("of %d apps", manyApps))
	p.Await("rows to have a rate, and the table to tell how long it is", fmt.Sprintf(`[...document.querySelectorAll("tbody tr")].filter((r) => / [1-9][\d.]* /.test(r.innerText.replace(/\s+/g, " "))).length > 20
		&& document.querySelector("[aria-rowcount]").getAttribute("aria-rowcount") > %d`, manyApps))
	list := paced(p)
	p.Type("Filter by name or state", "app-0777")
	p.AwaitText("1 of 1000")
	p.Click("link", "app-0777")
	p.AwaitText("git push")
	p.Go(c.api + "/apps/shop/releases")
	p.AwaitText("Change number 199")
	releases := paced(p)
	p.Go(c.api + "/")
	p.Await("the rate of all apps", `/^[1-9][\d.]* k$/.test(document.querySelector("dl.figures b").textContent)`)
	overview := paced(p)
	ours, plain := besidePlain(t, p, c.api+"/apps")
	bytes := scriptBytes(t)

	t.Logf("compressed JavaScript: %.1f kB", float64(bytes)/1000)
	t.Logf("first paint of %d apps: median %.0f ms, x %.1f of a page with one word (%.0f ms)", manyApps, ours, ours/plain, plain)
	t.Logf("apps, %d of them live: %s", manyApps, list)
	t.Logf("releases, %d of them: %s", manyReleases, releases)
	t.Logf("overview of %d apps: %s", manyApps, overview)
	if bytes > 100_000 {
		t.Errorf("got %d bytes of compressed JavaScript, want less than 100 kB", bytes)
	}
	wellBehaved(t, p)
}
