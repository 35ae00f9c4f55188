package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit/browser"
)

// window shows an address of the dashboard in a browser of its own, where
// nobody is signed in.
func (c *cluster) window(tb testing.TB, address string) *browser.Page {
	tb.Helper()
	p := browser.Start(tb).Page(tb)
	p.Go(c.api + address)
	return p
}

// signedIn is a window of the admin, who signed in by the form.
func (c *cluster) signedIn(tb testing.TB, address string) *browser.Page {
	tb.Helper()
	p := c.window(tb, address)
	p.Type("Token", c.adminToken())
	p.Click("button", "Sign in")
	p.AwaitNo("button", "Sign in")
	return p
}

// wellBehaved fails the test if a page did what no page of ours may do.
func wellBehaved(tb testing.TB, pages ...*browser.Page) {
	tb.Helper()
	for _, p := range pages {
		if got := p.Dialogs(); len(got) != 0 {
			tb.Errorf("got the dialogs %q, want none", got)
		}
		if got := p.Problems(); len(got) != 0 {
			tb.Errorf("got the problems\n%s\nwant none", strings.Join(got, "\n"))
		}
	}
}

// status is what the page's own request to the API is answered with.
func status(p *browser.Page, method, path string) int {
	var code int
	p.Eval(`fetch("/api/v1`+path+`", {method: "`+method+`"}).then((r) => r.status)`, &code)
	return code
}

// source is a repository of an app that is made elsewhere.
func (c *cluster) source(name, program string) *project {
	c.tb.Helper()
	p := &project{c: c, name: name, dir: filepath.Join(c.dir, "src-"+name)}
	binary, err := os.ReadFile(filepath.Join(bin, program))
	if err == nil {
		err = os.MkdirAll(p.dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "app"), binary, 0o755)
	}
	if err != nil {
		c.tb.Fatal(err)
	}
	p.write("Dockerfile", "FROM scratch\nCOPY app /app\nCMD [\"/app\"]\n")
	p.git("init", "-q", "-b", "main")
	p.commit("first")
	p.attach()
	return p
}

// follow goes to a page by its place in the rail.
func follow(p *browser.Page, link string) {
	p.Within("navigation", "Pages").Click("link", link)
}
