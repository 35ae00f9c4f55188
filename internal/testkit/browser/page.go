package browser

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const pace = 25 * time.Millisecond // between two looks at a condition

// Page is a window with one document. The embedded Part is the whole document.
// Its methods fail the test when they can't do what they are asked; they belong
// to the goroutine of the test.
type Page struct {
	*Part
	tb     testing.TB
	ctx    context.Context
	id     cdp.BrowserContextID
	room   *room
	tab    bool // it shares its window
	watch  *watch
	logged bool // the page was logged for a failure

	patience time.Duration // after which a wait counts as a hang
}

// Page opens a window that shares nothing with others: no cookies, no storage.
// It is 1280 by 800 pixels, light, and closes with the test.
func (b *Browser) Page(tb testing.TB) *Page {
	tb.Helper()
	return (&Page{tb: tb, room: b.room, patience: testkit.Hang}).open(b.ctx, chromedp.WithNewBrowserContext())
}

// Beside opens another window that shares cookies and storage with p.
func (p *Page) Beside(tb testing.TB) *Page {
	tb.Helper()
	return (&Page{tb: tb, room: p.room, patience: p.patience}).open(p.ctx, chromedp.WithExistingBrowserContext(p.id))
}

// Tab opens another tab of p's window and shows it: p is hidden until Show.
func (p *Page) Tab(tb testing.TB) *Page {
	tb.Helper()
	return (&Page{tb: tb, room: p.room, patience: p.patience, tab: true}).open(p.ctx, chromedp.WithExistingBrowserContext(p.id), chromedp.WithNewWindow(false))
}

// Show brings a tab to the front of its window.
func (p *Page) Show() {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
		p.fatalf("show the tab: %v", err)
	}
}

// As is the same page for another test or a part of one: what it can't do fails
// that.
func (p *Page) As(tb testing.TB) *Page {
	q := *p
	q.tb, q.logged = tb, false
	q.Part = &Part{page: &q}
	return &q
}

// open opens what p says so far.
func (p *Page) open(parent context.Context, options ...chromedp.ContextOption) *Page {
	p.tb.Helper()
	ctx, end := chromedp.NewContext(parent, options...)
	p.ctx, p.watch, p.Part = ctx, &watch{}, &Part{page: p}
	p.tb.Cleanup(func() {
		if p.tb.Failed() {
			p.logState()
		}
		end()
	})
	if err := p.watch.start(ctx); err != nil {
		p.tb.Fatalf("open a page: %v", err)
	}
	p.id = chromedp.FromContext(ctx).BrowserContextID
	// Several windows are open at once, and each is the one that is looked at; of
	// a window's tabs only one is.
	focused := emulation.SetFocusEmulationEnabledParams{Enabled: !p.tab}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, focused); err != nil {
		p.tb.Fatalf("open a page: %v", err)
	}
	p.Size(1280, 800)
	p.Theme("light")
	return p
}

// Before runs a script in each document that is opened later, before its own.
func (p *Page) Before(script string) {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	params := page.AddScriptToEvaluateOnNewDocumentParams{Source: script}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, params); err != nil {
		p.fatalf("have a script run before the documents': %v", err)
	}
}

// Go shows an address and waits until its document is loaded.
func (p *Page) Go(address string) {
	p.tb.Helper()
	p.watch.allow(origin(address))
	if err := p.room.reach(address); err != nil {
		p.fatalf("go to %s: %v", address, err)
	}
	p.do("go to "+address, chromedp.Navigate(address))
}

// Reload shows the same address anew.
func (p *Page) Reload() {
	p.tb.Helper()
	p.do("reload", chromedp.Reload())
}

// Back does what the browser's own button does.
func (p *Page) Back() {
	p.tb.Helper()
	p.do("go back", chromedp.NavigateBack())
}

// URL is the address that is shown.
func (p *Page) URL() string {
	p.tb.Helper()
	var address string
	p.Eval("location.href", &address)
	return address
}

// Path is the address without its origin: path, query, fragment.
func (p *Page) Path() string {
	p.tb.Helper()
	return strings.TrimPrefix(p.URL(), origin(p.URL()))
}

// Eval evaluates an expression in the page and stores its value, JSON-decoded,
// in what into points to, unless that is nil. A promise is awaited.
func (p *Page) Eval(expression string, into any) {
	p.tb.Helper()
	if err := p.eval(expression, into); err != nil {
		p.fatalf("evaluate %s: %v", clip(expression, 300), err)
	}
}

func (p *Page) eval(expression string, into any) error {
	ctx, cancel := p.limited()
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, awaited))
	if err != nil || into == nil {
		return err
	}
	if len(raw) == 0 {
		return errors.New("the value is undefined")
	}
	return json.Unmarshal(raw, into)
}

func awaited(e *runtime.EvaluateParams) {
	yes := true
	e.AwaitPromise = &yes
}

// limited bounds one exchange with the browser, so that a page that hangs fails
// its test.
func (p *Page) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, testkit.Hang)
}

func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fatalf("%s: %v", what, err)
	}
}

// origin is scheme, host and port of an address, "" when it has none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
