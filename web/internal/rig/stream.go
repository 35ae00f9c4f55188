package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/rest"
	"aorta/web/wire"
)

// Feed is an open event stream.
type Feed struct {
	tb     testing.TB
	Lines  *bufio.Scanner
	cancel context.CancelFunc
	resp   *http.Response
	Last   string // id seen last
}

// Event is one event.
type Event struct{ Name, Data string }

// Open follows a stream as a viewer; last is the id that was seen last.
func (r *Rig) Open(path, last string) *Feed {
	r.TB.Helper()
	f, resp := r.TryOpen(path, last)
	if f == nil {
		r.TB.Fatalf("got %s %s, want an event stream", resp.Status, resp.Header.Get("Content-Type"))
	}
	return f
}

// TryOpen is Open that gives no feed where the answer is none.
func (r *Rig) TryOpen(path, last string) (*Feed, *http.Response) {
	r.TB.Helper()
	ctx, cancel := context.WithCancel(testkit.Bounded(r.TB))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+rest.Prefix+path, nil)
	testkit.Must(r.TB, err)
	req.Header.Set("Authorization", "Bearer "+ViewerToken)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	testkit.Must(r.TB, err)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		cancel()
		_ = resp.Body.Close()
		return nil, resp
	}
	return &Feed{tb: r.TB, Lines: bufio.NewScanner(resp.Body), cancel: cancel, resp: resp, Last: last}, resp
}

// Cut closes the stream from the reader's side.
func (f *Feed) Cut() {
	f.cancel()
	_ = f.resp.Body.Close()
}

// Next reads one event; false when the server has ended the stream.
func (f *Feed) Next() (Event, bool) {
	var e Event
	for f.Lines.Scan() {
		name, value, _ := strings.Cut(f.Lines.Text(), ": ")
		switch name {
		case "id":
			f.Last = value
		case "event":
			e.Name = value
		case "data":
			e.Data = value
		case "":
			if e.Name != "" {
				return e, true
			}
		}
	}
	return e, false
}

// Logs reads n lines of jobs' logs, or all until the end with -1.
func (f *Feed) Logs(n int) (texts []string, ended bool) {
	f.tb.Helper()
	for len(texts) != n {
		e, ok := f.Next()
		switch {
		case !ok:
			f.tb.Fatalf("the stream ended after %q: %v", texts, f.Lines.Err())
		case e.Name == "end":
			return texts, true
		case e.Name == "log":
			var l wire.JobLogLine
			testkit.Must(f.tb, json.Unmarshal([]byte(e.Data), &l))
			texts = append(texts, l.Text)
		}
	}
	return texts, false
}

// Until reads events until one has one of the names, and gives its id too.
func (f *Feed) Until(names ...string) (Event, string) {
	f.tb.Helper()
	for {
		e, ok := f.Next()
		if !ok {
			f.tb.Fatalf("the stream ended before one of %q: %v", names, f.Lines.Err())
		}
		if slices.Contains(names, e.Name) {
			return e, f.Last
		}
	}
}

// AwaitBeats counts beats until there are so many, or the stream ends.
func (f *Feed) AwaitBeats(n int) (beats int) {
	for beats < n && f.Lines.Scan() {
		if strings.HasPrefix(f.Lines.Text(), ":") {
			beats++
		}
	}
	return beats
}

// Live opens a live stream.
func (r *Rig) Live(topics string) *Feed {
	r.TB.Helper()
	f := r.Open("/live?topics="+topics, "")
	r.TB.Cleanup(f.Cut)
	return f
}

// Await reads events until one of the name holds.
func Await[T any](f *Feed, name string, holds func(T) bool) T {
	f.tb.Helper()
	var last string
	for {
		e, ok := f.Next()
		if !ok {
			f.tb.Fatalf("the stream ended before a %s that holds; the last was %s", name, last)
		}
		if e.Name != name {
			continue
		}
		var v T
		testkit.Must(f.tb, json.Unmarshal([]byte(e.Data), &v))
		if holds(v) {
			return v
		}
		last = e.Data
	}
}

// Anything holds always.
func Anything[T any](T) bool { return true }
