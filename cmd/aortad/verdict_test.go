package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// An app that ends again and again runs in between, for most of the time at first.
// Nobody is told that it is well then, and all are told the same.
func TestVerdict_OfACrashLoopNeverTurnsWellInBetween(t *testing.T) {
	t.Parallel()
	const crashes = 4
	c := newCluster(t)
	shop := c.newApp("shop", "testapp")
	shop.deploy()
	f := c.live("apps")
	row := f.app("shop", func(a wire.LiveApp) bool { return a.Severity == "ok" })
	if row.Verdict != "serving" {
		t.Errorf("got %q before, want it serving", row.Verdict)
	}

	for n := range crashes {
		shop.exit(3)
		restarts := fmt.Sprintf("(%d restart", n+1)
		row := f.app("shop", func(a wire.LiveApp) bool {
			if n > 0 || a.Verdict != "serving" {
				neverWell(t, a)
			}
			return a.Running == 1 && strings.Contains(a.Verdict, restarts)
		})
		c.allSay(shop, row)
	}

	c.kill()
	c.start()
	c.allSay(shop, c.live("apps").app("shop", func(wire.LiveApp) bool { return true }))
}

func neverWell(tb testing.TB, a wire.LiveApp) {
	tb.Helper()
	if a.Severity == "ok" || !strings.Contains(a.Verdict, "crashing") || !strings.Contains(a.Verdict, "exited with code 3") {
		tb.Errorf("got %s: %q, want it crashing", a.Severity, a.Verdict)
	}
}

// exit ends the app's process with a code, once it answers.
func (p *project) exit(code int) {
	p.c.tb.Helper()
	testkit.Eventually(p.c.tb, "the app to answer", func() bool {
		resp, err := p.request("GET", "/")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	p.get(fmt.Sprintf("/exit?code=%d", code))
}

// allSay checks that whoever tells of the app while it runs says the same of it.
func (c *cluster) allSay(p *project, row wire.LiveApp) {
	c.tb.Helper()
	neverWell(c.tb, row)
	app := asJSON[wire.App](c, "apps", "info", "-a", p.name)
	crashes := strings.TrimPrefix(row.Verdict, "does not serve: ") // which is of the app
	said := map[string]string{
		"apps info": app.Severity + ": " + app.Verdict,
		"apps":      c.aorta("apps", "--wide"),
		"status":    c.aorta("status", "--wide"),
		"ps":        c.ps(p.name)[0].Verdict,
	}
	for who, says := range said {
		want := row.Verdict
		if who == "ps" {
			want = crashes
		}
		if !strings.Contains(strings.Join(strings.Fields(says), " "), want) {
			c.tb.Errorf("%s says %q, want %q as the pages do", who, says, want)
		}
	}
}

// app reads on until a row of the app is as asked.
func (f *feed) app(name string, asked func(wire.LiveApp) bool) wire.LiveApp {
	f.tb.Helper()
	var found wire.LiveApp
	awaitEvent(f, "apps", func(e wire.LiveRows[wire.LiveApp]) bool {
		return slices.ContainsFunc(e.Rows, func(a wire.LiveApp) bool {
			found = a
			return a.Name == name && asked(a)
		})
	})
	return found
}
