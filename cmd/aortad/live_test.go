package main_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// feed is an open live stream.
type feed struct {
	tb    testing.TB
	lines *bufio.Scanner
	last  string // id seen last
}

// live opens a stream of topics as the admin; it ends with the test.
func (c *cluster) live(topics string) *feed {
	c.tb.Helper()
	resp := c.ask(c.api + "/api/v1/live?topics=" + topics)
	if resp.StatusCode != http.StatusOK {
		c.tb.Fatalf("open a live stream: got %s", resp.Status)
	}
	f := &feed{tb: c.tb, lines: bufio.NewScanner(resp.Body)}
	f.lines.Buffer(nil, 1<<20)
	return f
}

// ask asks the API as the admin. The answer ends with the test.
func (c *cluster) ask(url string) *http.Response {
	c.tb.Helper()
	token, err := os.ReadFile(c.dir + "/data/admin.token")
	if err != nil {
		c.tb.Fatal(err)
	}
	req, err := http.NewRequestWithContext(testkit.Bounded(c.tb), http.MethodGet, url, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.tb.Fatalf("GET %s: %v", url, err)
	}
	c.tb.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// next reads one event; false when the stream has ended.
func (f *feed) next() (name, data string, ok bool) {
	for f.lines.Scan() {
		key, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch key {
		case "id":
			f.last = value
		case "event":
			name = value
		case "data":
			data = value
		case "":
			if name != "" {
				return name, data, true
			}
		}
	}
	return "", "", false
}

// awaitEvent reads until an event of the name holds.
func awaitEvent[T any](f *feed, event string, holds func(T) bool) T {
	f.tb.Helper()
	var last string
	for {
		name, data, ok := f.next()
		if !ok {
			f.tb.Fatalf("the stream ended before a %s that holds; the last was %s", event, last)
		}
		if name != event {
			continue
		}
		var v T
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			f.tb.Fatalf("read %s: %v", data, err)
		}
		if last = data; holds(v) {
			return v
		}
	}
}

// A page sees traffic as it comes, a daemon that goes and comes back, and an app
// that goes for good.
func TestLive_ShowsTrafficAndARestart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	shop := c.newApp("shop", "hello")
	f := c.live("overview,apps,jobs,app:shop")
	awaitEvent(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool { return len(e.Rows) == 1 && e.Rows[0].State == "empty" })
	shop.deploy()
	awaitEvent(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool { return len(e.Rows) == 1 && e.Rows[0].State == "serving" })

	for range 50 {
		shop.get("/")
	}
	row := awaitEvent(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool {
		return len(e.Rows) == 1 && e.Rows[0].Requests != nil && *e.Rows[0].Requests > 0
	}).Rows[0]
	whole := awaitEvent(f, "overview", func(o wire.LiveOverview) bool { return o.Rates.Requests != nil && o.State == "ok" })
	c.showsInSeries(50)
	c.kill()
	for ok := true; ok; {
		_, _, ok = f.next()
	}
	c.start()
	again := c.live("overview,apps,jobs,app:shop")
	after := awaitEvent(again, "apps", func(wire.LiveRows[wire.LiveApp]) bool { return true })
	c.aorta("apps", "destroy", "shop", "--confirm", "shop")
	gone := awaitEvent(again, "gone", func(wire.LiveGone) bool { return true })

	if *row.ErrorRatio != 0 || row.P95 == nil || whole.State != "ok" {
		t.Errorf("got the errors %v, p95 %v, state %s; want none, a percentile, ok", *row.ErrorRatio, row.P95, whole.State)
	}
	if !after.All || len(after.Rows) != 1 || gone.App != "shop" {
		t.Errorf("got %+v after the restart and %+v gone, want all rows, shop", after, gone)
	}
	if was, is := epochOf(f.last), epochOf(again.last); was == "" || is == "" || was == is {
		t.Errorf("got epoch %q before the restart and %q after, want another one", was, is)
	}
}

// A Redis that hangs, and answers nobody, is named; nothing else is blamed.
func TestLive_NamesTheRedisThatHangs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for _, name := range []string{"shop", "blog"} {
		app := c.newApp(name, "testapp")
		app.write("aorta.yml", endless)
		app.commit("wait for as long as the test does")
		app.deploy()
		c.aorta("config", "set", "-a", name, "--detach", "MODE=gate") // it waits to be told to serve
		c.jobOn(name, "open")
	}
	f := c.live("apps,jobs,overview")
	awaitEvent(f, "overview", func(o wire.LiveOverview) bool { return o.State == "ok" })
	hanging := c.managed()["redis-jobs"]

	if err := syscall.Kill(hanging, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(hanging, syscall.SIGCONT) })
	said := awaitEvent(f, "overview", func(o wire.LiveOverview) bool {
		return o.State == "bad" && strings.Contains(o.Text, "jobs Redis") // on a slow machine something else may pass by
	})
	if err := syscall.Kill(hanging, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	awaitEvent(f, "overview", func(o wire.LiveOverview) bool { return o.State == "ok" })

	if len(said.Attention) != 1 || !strings.Contains(said.Text, "jobs Redis") {
		t.Errorf("got %q with %+v, want the jobs Redis alone to be named", said.Text, said.Attention)
	}
}

func epochOf(id string) string {
	epoch, _, _ := strings.Cut(id, "-")
	return epoch
}

// showsInSeries waits until the app's last ten minutes add up.
func (c *cluster) showsInSeries(want uint64) {
	c.tb.Helper()
	var got uint64
	testkit.Eventually(c.tb, "the series to show the requests", func() bool {
		var s wire.Series
		if err := json.NewDecoder(c.ask(c.api + "/api/v1/apps/shop/series?range=10m&release=v1").Body).Decode(&s); err != nil {
			c.tb.Fatal(err)
		}
		got = 0
		for _, n := range s.S2xx {
			if n != nil {
				got += *n
			}
		}
		return got >= want && len(s.Marks) == 1
	})
	if got != want {
		c.tb.Errorf("the series adds up to %d requests, want %d", got, want)
	}
}
