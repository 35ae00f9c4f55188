package main_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit/browser"
)

// shots is where `make screenshots` wants the pictures; without it the pages are
// looked at by the rules alone.
var shots = flag.String("pages.shots", "", "directory for a picture of every page, in every width and theme")

// axeScript is axe-core as npm installs it.
const axeScript = "../../web/dashboard/ui/node_modules/axe-core/axe.min.js"

// view is a page at an address, and what it shows when it is whole.
type view struct {
	name, path, shows string
	graph             bool // it draws one
	before            func(p *browser.Page)
}

// look is how a page is looked at.
type look struct {
	width, height int64
	theme         string
	axe           bool // each width and each theme in one look is enough
}

// looks are the ways to look at each page: all of them for pictures. Those of one
// width follow each other.
func looks() []look {
	some := []look{
		{1280, 800, "light", true},
		{1280, 800, "dark", false},
		{360, 780, "dark", true},
	}
	if *shots == "" {
		return some
	}
	return append(some, look{360, 780, "light", false}, look{1920, 1080, "light", false}, look{1920, 1080, "dark", false})
}

// walk is one scene's pages, looked at one after the other.
type walk struct {
	t     *testing.T
	c     *cluster
	scene string
}

// through looks at every page, as someone who is signed in.
func (w walk) through(views ...view) {
	w.t.Helper()
	w.at(w.c.window(w.t, "/"), view{name: "login", path: "/", shows: "Sign in to Aorta"})
	p := w.c.signedIn(w.t, "/")
	for _, v := range views {
		w.at(p, v)
	}
}

// at looks at one page in every way: nothing wider than the window, nothing that
// axe-core calls serious, no fault in the console.
func (w walk) at(p *browser.Page, v view) {
	w.t.Helper()
	var width int64 // that it was loaded in
	for _, l := range looks() {
		p.Theme(l.theme) // it changes what is there, as when the night comes
		if l.width != width {
			width = l.width
			p.Size(l.width, l.height)
			w.open(p, v)
		}
		where := fmt.Sprintf("%s, %s at %d px, %s", w.scene, v.name, l.width, l.theme)
		w.judge(p, where, l)
		w.picture(p, fmt.Sprintf("%s-%s-%d-%s.png", w.scene, v.name, l.width, l.theme))
	}
	if got := append(p.Problems(), p.Dialogs()...); len(got) > 0 {
		w.t.Errorf("%s, %s: got problems in the page\n%s", w.scene, v.name, strings.Join(got, "\n"))
	}
}

// open shows a page and waits until it is whole.
func (w walk) open(p *browser.Page, v view) {
	w.t.Helper()
	p.Go(w.c.api + v.path)
	if v.before != nil {
		v.before(p)
	}
	p.AwaitText(v.shows)
	p.Await("all that is fetched to be there", `!document.querySelector(".wait")`)
	if v.graph {
		p.Await("the graphs to be drawn", `[...document.querySelectorAll("canvas")].some((c) => c.width > 0)`)
	}
}

// outsideJS lists what lies outside of an open dialog, or of the window.
const outsideJS = `(() => {
	const dialog = document.querySelector("dialog[open]"), box = dialog?.getBoundingClientRect();
	const out = (r) => r.left < box.left || r.right > box.right || r.top < box.top || r.bottom > box.bottom;
	const seen = box && box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
	const parts = [...dialog?.querySelectorAll("h2, input, button") ?? []];
	return parts.filter((e) => !seen || out(e.getBoundingClientRect())).map((e) => e.ariaLabel || e.textContent || e.tagName);
})()`

// beyondJS lists what sticks out of its card on the right, where nothing scrolls.
const beyondJS = `(() => {
	const cut = (e) => e && !e.matches(".card") && (getComputedStyle(e).overflowX !== "visible" || cut(e.parentElement));
	const out = (e) => e.getBoundingClientRect().right > e.closest(".card").getBoundingClientRect().right + 1;
	const parts = [...document.querySelectorAll(".card *")].filter((e) => e.getBoundingClientRect().width > 0 && out(e) && !cut(e));
	return parts.map((e) => e.tagName + " " + (e.getAttribute("class") ?? "") + " " + (e.ariaLabel || e.textContent).slice(0, 60));
})()`

func (w walk) judge(p *browser.Page, where string, l look) {
	w.t.Helper()
	var wide int64
	p.Eval("document.documentElement.scrollWidth", &wide)
	if wide > l.width {
		w.t.Errorf("%s: the page is %d px wide, want it to fit", where, wide)
	}
	var beyond []string
	p.Eval(beyondJS, &beyond)
	if len(beyond) > 0 {
		w.t.Errorf("%s: got parts that stick out of their card: %q", where, beyond)
	}
	var lost []string
	p.Eval(outsideJS, &lost)
	if len(lost) > 0 {
		w.t.Errorf("%s: got controls of a dialog that nobody can see: %q", where, lost)
	}
	if !l.axe {
		return
	}
	for _, v := range p.Axe(axeScript) {
		if v.Impact == "serious" || v.Impact == "critical" {
			w.t.Errorf("%s: axe-core found\n%s", where, v)
		}
	}
}

func (w walk) picture(p *browser.Page, name string) {
	w.t.Helper()
	if *shots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*shots, name), p.Screenshot(), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// press opens what a button opens, before a page is looked at.
func press(name, awaits string) func(*browser.Page) {
	return func(p *browser.Page) {
		p.Click("button", name)
		p.AwaitHas("dialog", awaits)
	}
}

func TestPages_OfAnEmptyCluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t)

	walk{t, c, "empty"}.through(
		view{name: "overview", path: "/", shows: "No apps yet"},
		view{name: "apps", path: "/apps", shows: "No apps yet"},
		view{name: "new-app", path: "/apps", shows: "Create it", before: press("New app", "New app")},
		view{name: "jobs", path: "/jobs", shows: "aorta jobs"},
		view{name: "nodes", path: "/nodes", shows: here},
		view{name: "node-missing", path: "/nodes/none", shows: "There is no node none."},
		view{name: "settings", path: "/settings", shows: "Where you are signed in"},
		view{name: "missing", path: "/nothing/here", shows: "no page"},
	)
}
