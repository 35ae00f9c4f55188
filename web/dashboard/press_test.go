package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"aorta/internal/testkit/browser"
)

// script is an API of which the test says each event that the page hears.
type script struct {
	events chan string
	ends   chan struct{}                      // closed at the test's end
	asked  map[string]func(url.Values) string // other parts of the API, by path
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if answer := s.asked[r.URL.Path]; answer != nil {
		_, _ = fmt.Fprint(w, answer(r.URL.Query()))
		return
	}
	switch r.URL.Path {
	case "/api/v1/session":
		_, _ = fmt.Fprint(w, `{"user":"ann","role":"viewer","session":"s","expires_at":"2100-01-01T00:00:00Z"}`)
	case "/api/v1/live":
		s.stream(w, r)
	default:
		Handler().ServeHTTP(w, r)
	}
}

func (s *script) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		select {
		case e := <-s.events:
			_, _ = fmt.Fprint(w, e)
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		case <-s.ends:
			return
		}
	}
}

// says sends an event to the page.
func (s *script) says(event, data string) {
	s.events <- fmt.Sprintf("event: %s\ndata: %s\n\n", event, data)
}

func (s *script) line(n int) {
	s.events <- fmt.Sprintf("event: line\nid: %d\ndata: "+
		`{"time":"2026-01-01T00:00:00Z","instance":"i","type":"web","release":"v1","node":"n","stream":"stdout","text":"number %d"}`+"\n\n", n, n)
}

func (s *script) job(id string) string {
	return fmt.Sprintf(`{"id":%q,"kind":"deploy","title":"Deploy %s","app":"shop","user":"ann","state":"running","progress":{"n":0,"m":0},"error":"","created_at":"2026-01-01T00:00:0%sZ"}`, id, id, id)
}

// shown opens a page of an API that is written down.
func shown(t *testing.T, path string) (*browser.Page, *script) {
	t.Helper()
	return answered(t, path, nil)
}

// answered is shown with answers of other parts of the API.
func answered(t *testing.T, path string, asked map[string]func(url.Values) string) (*browser.Page, *script) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("a quick check starts no browser")
	}
	if len(Handler().(*site).assets) == 0 {
		t.Fatal("the pages are not built: make dashboard") // nothing would read what the test says
	}
	s := &script{events: make(chan string), ends: make(chan struct{}), asked: asked}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(s.ends) })
	p := browser.Start(t).Page(t)
	p.Before(listens)
	p.Go(srv.URL + path)
	s.says("hello", `{"cluster":"c","version":"v","epoch":1,"time":"2026-01-01T00:00:00Z"}`)
	s.says("jobs", `{"all":true,"rows":[`+s.job("1")+`]}`)
	s.says("app", `{"app":{"id":"a","name":"shop","release":"v1","url":"","git_http":"","instances":1,"wanted":1,"version":1,"severity":"ok","verdict":""},"rates":{"requests_per_s":null,"error_ratio":null,"p95_ms":null}}`)
	return p, s
}

type point struct{ X, Y float64 }

// middle is where the middle of an element is, which is there by then.
func middle(p *browser.Page, element string) point {
	p.Await(element+" to be there", element)
	var at point
	p.Eval(`(() => { const r = (`+element+`).getBoundingClientRect(); return {x: r.left + r.width / 2, y: r.top + r.height / 2}; })()`, &at)
	return at
}

// listens lets the test know what the page has read, and stops from the start the
// clock of what a page bounds to some seconds, such as the silence of its stream:
// the machine may be slow.
const listens = `{
	const decode = TextDecoder.prototype.decode;
	window.read = "";
	TextDecoder.prototype.decode = function (...all) {
		const text = decode.apply(this, all);
		window.read += text;
		return text;
	};
	const timer = setTimeout;
	window.setTimeout = (act, ms, ...rest) => timer(act, ms >= 1000 ? 1e8 : ms, ...rest);
}`

// drawn waits until the page has read a text, and has drawn all that it would
// draw by itself: it gathers rows for a moment, and those timers come first.
func drawn(p *browser.Page, text string) {
	p.Await("the page to read "+text, fmt.Sprintf("window.read.includes(%q)", text))
	p.Eval(`new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100))`, nil)
}

// The lines of a log move up as new ones come. A press on a line opens that one,
// whatever comes before the button is let go of.
func TestPages_APressOpensTheLineThatItIsOn(t *testing.T) {
	p, s := shown(t, "/apps/shop/logs")
	for n := range 100 {
		s.line(n)
	}
	at := middle(p, `[...document.querySelectorAll(".logline")].find((l) => l.textContent.includes("number 95"))`)

	p.MouseDown(at.X, at.Y)
	for n := range 50 {
		s.line(100 + n)
	}
	drawn(p, "number 149")
	p.MouseUp(at.X, at.Y)

	p.Within("dialog", "Log line").AwaitText("number 95")
	p.Press("Escape")
	p.AwaitText("number 149")
}

// A link moves down when a row comes before it, and is followed all the same.
func TestPages_APressFollowsTheLinkThatItIsOn(t *testing.T) {
	p, s := shown(t, "/jobs")
	at := middle(p, `document.querySelector('main a[href="/jobs/1"]')`)

	p.MouseDown(at.X, at.Y)
	s.says("jobs", `{"all":false,"rows":[`+s.job("2")+`,`+s.job("3")+`,`+s.job("4")+`]}`)
	drawn(p, "Deploy 4")
	p.MouseUp(at.X, at.Y)

	p.Await("the job to be shown", `location.pathname === "/jobs/1"`)
}
