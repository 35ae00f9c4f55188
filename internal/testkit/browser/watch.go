package browser

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// watch writes down what happens in a page.
type watch struct {
	mu       sync.Mutex // guards all below: events come on the browser's goroutine
	lines    []string   // the console, with what the browser says there
	problems []string
	dialogs  []string
	origins  []string // where the page may ask
	paths    []string // "METHOD path" of every request, in order
}

// start watches until ctx ends.
func (w *watch) start(ctx context.Context) error {
	return chromedp.Listen(ctx, func(event any) {
		if d, ok := event.(*page.EventJavascriptDialogOpening); ok {
			w.add(&w.dialogs, string(d.Type)+": "+d.Message)
			// The page stands still until it is answered, and here no answer can
			// be awaited. It ends with its call, or with the page.
			go func() {
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
			}()
			return
		}
		w.record(event)
	})
}

func (w *watch) record(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.problem("uncaught " + thrown(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		text := string(e.Type) + ": " + spoken(e.Args)
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.problem(text)
		} else {
			w.add(&w.lines, text)
		}
	case *log.EventEntryAdded:
		text := string(e.Entry.Source) + " " + string(e.Entry.Level) + ": " + e.Entry.Text
		// An answer that refuses, or none, is the page's to deal with.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			w.problem(text)
		} else {
			w.add(&w.lines, text)
		}
	case *network.EventRequestWillBeSent:
		w.request(e.Request.Method, e.Request.URL)
	}
}

func (w *watch) request(method, address string) {
	from := origin(address)
	w.mu.Lock()
	foreign := from != "" && !slices.Contains(w.origins, from)
	w.paths = append(w.paths, method+" "+strings.TrimPrefix(address, from))
	w.mu.Unlock()
	if foreign {
		w.problem("a request to another origin: " + address)
	}
}

func (w *watch) add(to *[]string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*to = append(*to, text)
}

func (w *watch) problem(text string) {
	w.add(&w.problems, text)
	w.add(&w.lines, text)
}

func (w *watch) allow(from string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.origins = append(w.origins, from)
}

func (w *watch) copied(list *[]string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(*list)
}

func (w *watch) console() []string { return w.copied(&w.lines) }

// Dialogs are the JavaScript dialogs that opened so far, "type: message". Each
// was dismissed.
func (p *Page) Dialogs() []string {
	p.tb.Helper()
	p.caughtUp()
	return p.watch.copied(&p.watch.dialogs)
}

// Problems are what should not happen in a page, so far: uncaught exceptions,
// errors on the console, breaches of a content security policy, and requests to
// origins that Go was never told to go to. An answer with an error status is
// none.
func (p *Page) Problems() []string {
	p.tb.Helper()
	p.caughtUp()
	return p.watch.copied(&p.watch.problems)
}

// Requests are all requests of the page so far, "METHOD path?query".
func (p *Page) Requests() []string {
	p.tb.Helper()
	p.caughtUp()
	return p.watch.copied(&p.watch.paths)
}

// caughtUp waits until all that the browser said before now was taken: it says
// things in order.
func (p *Page) caughtUp() {
	p.tb.Helper()
	p.Eval("0", nil)
}

// thrown is what an exception says.
func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	if d.Exception != nil {
		return d.Text + " " + string(d.Exception.Value)
	}
	return d.Text
}

// spoken is what was given to the console.
func spoken(args []*runtime.RemoteObject) string {
	words := make([]string, len(args))
	for i, a := range args {
		if a.Description != "" {
			words[i] = a.Description
		} else if json.Unmarshal(a.Value, &words[i]) != nil {
			words[i] = string(a.Value)
		}
	}
	return strings.Join(words, " ")
}
