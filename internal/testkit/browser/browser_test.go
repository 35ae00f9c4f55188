package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"aorta/internal/testkit/browser"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start opens a page of a server that shows one document under a policy.
func start(t *testing.T, body string) (*browser.Page, *httptest.Server) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("a quick check starts no browser")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = fmt.Fprint(w, script)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src *")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>T</title><style>button:focus { outline: 2px solid red } #low { color: #ccc; background: #fff }</style>
			<main><h1>Test</h1>%s</main><script src="/script.js"></script>`, body)
	}))
	t.Cleanup(srv.Close)
	p := browser.Start(t).Page(t)
	p.Go(srv.URL)
	return p, srv
}

// script is what the documents do.
const script = `
addEventListener("click", (e) => { document.title += " " + (e.target.id || e.target.tagName); });
document.getElementById("later")?.addEventListener("click", (e) => {
	setTimeout(() => { document.getElementById("slow").disabled = false; }, 100);
});
document.getElementById("uses")?.addEventListener("keydown", (e) => {
	e.preventDefault();
	document.getElementById("next").focus();
});
const shy = document.getElementById("shy");
if (shy) {
	const frame = requestAnimationFrame;
	window.requestAnimationFrame = (f) => frame((at) => {
		f(at);
		queueMicrotask(() => { document.getElementById("wrong").hidden = false; });
	});
}
window.boom = () => setTimeout(() => { throw new Error("boom"); });
`

func TestPage_ClicksWhatAPersonCan(t *testing.T) {
	p, _ := start(t, `
		<button id="later">Later</button> <button id="slow" disabled>Slow</button>
		<div style="height: 3000px"></div>
		<section aria-label="Far"><button id="far">Same</button></section><section aria-label="Near"><button id="near">Same</button></section>
		<button hidden id="hidden">Hidden</button>`)

	p.Click("button", "Later")
	p.Click("button", "Slow")
	p.Within("region", "Far").Click("button", "Sa…")

	var title string
	p.Eval("document.title", &title)
	if want := "T later slow far"; title != want {
		t.Errorf("got the clicks %q, want %q", title, want)
	}
	if p.Has("button", "Hidden") || !p.Has("button", "Slow") {
		t.Errorf("got the buttons %q, want none that is hidden", p.Names("button"))
	}
}

// A page may move between a look at it and the press, the longer the machine takes.
func TestPage_PressesNothingElseThatCameInItsPlace(t *testing.T) {
	p, _ := start(t, `<button id="wrong" style="width: 200px" hidden>Wrong</button><button id="shy" style="width: 200px">Shy</button>`)

	p.Click("button", "Shy")

	var title string
	p.Eval("document.title", &title)
	if want := "T shy"; title != want {
		t.Errorf("got the clicks %q, want %q", title, want)
	}
}

func TestPage_TypesIntoFields(t *testing.T) {
	p, _ := start(t, `<label>Name <input value="old"></label><label>Kind <select><option>one<option>two</select></label>`)

	p.Type("Name", "neu <ü>")
	p.Choose("Kind", "two")

	if got := p.Value("Name"); got != "neu <ü>" {
		t.Errorf("got %q in the field, want the new text alone", got)
	}
	if got := p.Value("Kind"); got != "two" {
		t.Errorf("got %q chosen, want two", got)
	}
}

func TestPage_WalksByKeyboard(t *testing.T) {
	p, _ := start(t, `<button id="a">A</button><label>B <input></label><button id="c">C</button>`)

	way := p.TabTo("button", "C")
	p.Press("Enter")
	p.TabBackTo("textbox", "B")
	p.Write("hé/")

	if len(way) != 3 || way[0].Name != "A" || way[1].Role != "textbox" {
		t.Errorf("got the way %v, want A, B, C", way)
	}
	var title string
	p.Eval("document.title", &title)
	if title != "T c" || p.Value("B") != "hé/" {
		t.Errorf("got clicks %q and the text %q, want c and hé/", title, p.Value("B"))
	}
}

// What a page has done with a key going down, the key does nowhere else: not
// where the page has moved the focus to since.
func TestPage_AKeyThatIsUsedUpTypesNothing(t *testing.T) {
	p, _ := start(t, `<button id="uses">Uses</button><button id="next">Next</button>`)

	p.TabTo("button", "Uses")
	p.Press("Enter")
	p.AwaitFocus("button", "Next")

	var title string
	p.Eval("document.title", &title)
	if title != "T" {
		t.Errorf("got the clicks %q, want none", title)
	}
	p.Press("Enter")
	p.Await("a key that nobody uses up to click", `document.title === "T next"`)
}

func TestPage_FocusThatCantBeSeenIsTold(t *testing.T) {
	p, _ := start(t, `<style>#bare:focus { outline: none }</style><button id="bare">Bare</button><button>Seen</button>`)

	p.Press("Tab")
	bare := p.Focus()
	p.Press("Tab")
	p.AwaitFocus("button", "Seen")

	if want := (browser.Focus{Role: "button", Name: "Bare"}); bare != want {
		t.Errorf("got %+v, want %+v", bare, want)
	}
	if seen := p.Focus(); !seen.Visible {
		t.Errorf("got %+v, want it visible", seen)
	}
}

func TestPage_TabsHideOneAnother(t *testing.T) {
	p, srv := start(t, `<p>here</p>`)
	first := p.Tab(t)
	first.Go(srv.URL)
	second := first.Tab(t)
	second.Go(srv.URL)

	first.Await("the first tab to be behind the second", "document.hidden")
	first.Show()
	first.Await("the first tab to be shown", "!document.hidden")
	second.Await("the second tab to be behind it", "document.hidden")
}

func TestPage_ProblemsAreSeen(t *testing.T) {
	p, _ := start(t, `<p>here</p>`)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	if got := p.Problems(); len(got) != 0 {
		t.Fatalf("got %q from a quiet page, want nothing", got)
	}

	p.Eval(`boom()`, nil)
	p.Eval(`console.error("told", 7)`, nil)
	p.Eval(`{ const s = document.createElement("script"); s.textContent = "1"; document.body.append(s); }`, nil)
	p.Eval(fmt.Sprintf(`fetch(%q).catch(() => 0).then(() => 0)`, other.URL), nil)
	p.Eval(`confirm("sure?")`, nil)

	got := strings.Join(p.Problems(), "\n")
	for _, want := range []string{"boom", "told 7", "Content Security Policy", other.URL} {
		if !strings.Contains(got, want) {
			t.Errorf("got the problems\n%s\nwant one with %q", got, want)
		}
	}
	if got := p.Dialogs(); !slices.Equal(got, []string{"confirm: sure?"}) {
		t.Errorf("got the dialogs %q, want the question", got)
	}
}

func TestPage_AwaitTakesWhatComesLater(t *testing.T) {
	p, _ := start(t, `<p id="text">before</p>`)

	p.Eval(`void setTimeout(() => { document.getElementById("text").innerHTML = "and\n <b>after</b>"; }, 200)`, nil)
	p.AwaitText("and after")
	took := p.Await("the text to be bold", `document.querySelector("b").textContent === "after"`)

	if p.Reads("before") {
		t.Errorf("got %q after %s, want the new text alone", p.Text(), took)
	}
}

// overheard is a test of which it is only asked whether it failed.
type overheard struct {
	testing.TB
	told string
}

func (o *overheard) Helper() {}

func (o *overheard) Logf(string, ...any) {}

func (o *overheard) Fatalf(format string, args ...any) {
	o.told = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestPage_FailsWhenItsWaitIsInVain(t *testing.T) {
	p, _ := start(t, `<p>here</p>`)
	for want, wait := range map[string]func(*browser.Page){
		"never true (false":   func(p *browser.Page) { p.Await("never true", "false") },
		"nowhere is not":      func(p *browser.Page) { p.Await("what throws", "nowhere") },
		`for "there" in`:      func(p *browser.Page) { p.AwaitText("there") },
		"there are 0 of main": func(p *browser.Page) { p.Within("main", "none").Eval("function () {}", nil) },
	} {
		o := &overheard{TB: t}
		ended := make(chan struct{})
		go func() { // ends with its failure
			defer close(ended)
			wait(p.As(o).Impatient())
		}()
		<-ended

		if !strings.Contains(o.told, want) {
			t.Errorf("got %q from a wait in vain, want it to fail with %q", o.told, want)
		}
	}
}

func TestBrowser_PagesShareNothing(t *testing.T) {
	p, srv := start(t, `<p>here</p>`)
	b := browser.Start(t)
	other := b.Page(t)
	other.Go("about:blank")
	beside := p.Beside(t)
	beside.Go(srv.URL)

	var own, third string
	p.Eval("document.cookie", &own)
	apart := b.Page(t)
	apart.Go(srv.URL)
	apart.Eval(`document.cookie = "seen=no"; document.cookie`, &third)
	var shared string
	beside.Eval("document.cookie", &shared)

	if own != "seen=yes" || shared != own || third != "seen=no" {
		t.Errorf("got the cookies %q, %q beside and %q apart, want yes, yes and no", own, shared, third)
	}
}

func TestPage_LooksAsAsked(t *testing.T) {
	p, _ := start(t, `<p>here</p>`)

	p.Size(360, 640)
	p.Theme("dark")

	var seen struct {
		Width int
		Dark  bool
	}
	p.Eval(`({width: innerWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches})`, &seen)
	if seen.Width != 360 || !seen.Dark {
		t.Errorf("got %+v, want 360 pixels in the dark", seen)
	}
	if picture := p.Screenshot(); !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("got a picture that begins with %q, want a PNG", picture[:4])
	}
}

func TestPage_AxeFindsWhatIsHardToUse(t *testing.T) {
	p, _ := start(t, `<p id="low">pale</p><button></button>`)

	found := p.Axe(axe(t))

	rules := make([]string, len(found))
	for i, v := range found {
		rules[i] = v.Rule
	}
	if !slices.Contains(rules, "color-contrast") || !slices.Contains(rules, "button-name") {
		t.Errorf("got %v, want the contrast and the name of the button among them", found)
	}
	if got := p.Problems(); len(got) != 0 {
		t.Errorf("got the problems %q, want none of the look", got)
	}
}

func axe(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../web/dashboard/ui/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: npm ci --ignore-scripts in web/dashboard/ui fetches it", err)
	}
	return path
}

func TestBrowser_HearsWhatIsGoneAgain(t *testing.T) {
	p, _ := start(t, `<p role="status"></p>`)
	p.Listen()

	p.Eval(`new Promise((done) => {
		const part = document.querySelector("[role=status]");
		part.textContent = "Saved: \"it\"";
		setTimeout(() => { part.textContent = ""; done(); }, 0);
	})`, nil)

	p.AwaitSaid(`Saved: "it"`)
}
