package build

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// files is a server of the test's own machine. It tells how often it was asked.
func files(t *testing.T, answer http.HandlerFunc) (server *httptest.Server, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, asked
}

func fetcher(t *testing.T, room int64, allowed ...string) guard {
	t.Helper()
	g := newGuard(order{Settings: Settings{Fetch: allowed}, Dir: t.TempDir()})
	g.room.Store(room)
	return g
}

func content(t *testing.T, f dockerfile.Fetched) string {
	t.Helper()
	text, err := io.ReadAll(io.NewSectionReader(f.Content, 0, f.Size))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Content.Close(); err != nil {
		t.Error(err)
	}
	return string(text)
}

// What a name stood for a moment ago, and where an answer leads, count for nothing:
// the address that is connected to does.
func TestGuard_JudgesEachAddressAsItIsConnectedTo(t *testing.T) {
	inside, asked := files(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "internal") })
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	outside, _ := files(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.URL.Query().Get("to")+port+"/metrics", http.StatusFound)
	})
	g := fetcher(t, 100, strings.TrimPrefix(outside.URL, "http://"))
	g.lookup = func(context.Context, string) ([]netip.Addr, error) { // for the look before it alone
		return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
	}
	for name, address := range map[string]string{
		"name":                    "http://localhost" + port + "/",
		"redirect":                outside.URL + "/?to=127.0.0.1",
		"redirect, by name":       outside.URL + "/?to=localhost",
		"redirect, other writing": outside.URL + "/?to=0.0.0.0",
	} {
		_, err := g.Fetch(t.Context(), address)

		if err == nil || cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), "is the builder's own machine or link") {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("what listens there was asked %d times", n)
	}
}

func TestGuard_FetchesFilesWithinBounds(t *testing.T) {
	server, _ := files(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/seven":
			w.Header().Set("Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT")
			_, _ = io.WriteString(w, "1234567")
		case "/cut":
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "1")
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	})
	g := fetcher(t, 10, "127.0.0.1")

	got, err := g.Fetch(t.Context(), server.URL+"/seven")

	if err != nil || got.ModTime.Year() != 2015 || content(t, got) != "1234567" {
		t.Errorf("got %+v, %v, want the file and its time", got, err)
	}
	for path, want := range map[string]string{
		"/none":  "can't be fetched: its server answers 404 Not Found",
		"/cut":   "unexpected EOF",
		"/round": "stopped after 10 redirects",
		"/seven": "is too large: what ADD fetches may take 2g in a build",
	} {
		if _, err := fetcher(t, 5, "127.0.0.1").Fetch(t.Context(), server.URL+path); err == nil || cluster.CodeOf(err) != cluster.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
