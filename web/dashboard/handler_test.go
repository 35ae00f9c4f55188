package dashboard

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"aorta/web/wire"
)

func build() fstest.MapFS {
	return fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html><title>Aorta</title>")},
		"placeholder.html":         {Data: []byte("make build")},
		"assets/main-ABC.js":       {Data: []byte("let plain;")},
		"assets/main-ABC.js.br":    {Data: []byte("brotli")},
		"assets/main-ABC.js.gz":    {Data: []byte("gzipped")},
		"assets/styles-DEF.css":    {Data: []byte("a{}")},
		"assets/licenses-GHI.txt":  {Data: []byte("as is")},
		"assets/logo-JKL.svg":      {Data: []byte("<svg/>")},
		"assets/styles-DEF.css.gz": {Data: []byte("css gzipped")},
	}
}

func open(t testing.TB, files fstest.MapFS) *site {
	t.Helper()
	s, err := load(files)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return s
}

func ask(s http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	return string(body)
}

func TestSite_EveryPageIsTheDocument(t *testing.T) {
	s := open(t, build())
	for path, want := range map[string]int{
		"/": 200, "/login": 200, "/apps": 200, "/apps/": 200, "/apps/shop": 200, "/apps/shop/logs": 200,
		"/jobs": 200, "/jobs/0190": 200, "/nodes": 200, "/settings": 200,
		"/nowhere": 404, "/apps/shop/logs/more": 404, "/jobs/1/2": 404, "/nodes/n1": 404, "/index.html": 404,
	} {
		got := ask(s, "GET", path)

		if got.StatusCode != want || got.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("GET %s: got %d %q, want %d and the document", path, got.StatusCode, got.Header.Get("Content-Type"), want)
		}
		if got.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(text(t, got), "<title>Aorta") {
			t.Errorf("GET %s: got cache %q, want no-cache and the document's text", path, got.Header.Get("Cache-Control"))
		}
	}
}

// A page that the document has is none that the server calls missing, and the
// other way round.
func TestKnown_AreThePagesOfTheDocument(t *testing.T) {
	source, err := os.ReadFile("ui/src/router.ts")
	if err != nil {
		t.Fatal(err)
	}
	routed := map[string]bool{}
	for _, form := range regexp.MustCompile(`form: /\^\\/(\w*)`).FindAllStringSubmatch(string(source), -1) {
		routed[form[1]] = true
	}
	for name := range routed {
		if !known("/" + name) {
			t.Errorf("/%s is a page of ui/src/router.ts, and none of the server's", name)
		}
	}
	for name := range pages {
		if !routed[name] {
			t.Errorf("/%s is a page of the server, and none of ui/src/router.ts", name)
		}
	}
}

func TestSite_ProgramsNeverGetAPage(t *testing.T) {
	s := open(t, build())
	for _, path := range []string{"/api", "/api/v1/nowhere", "/git/shop.git/info/refs", "/metrics", "/healthz/x"} {
		got := ask(s, "POST", path)

		var problem wire.Problem
		err := json.NewDecoder(got.Body).Decode(&problem)
		if got.StatusCode != 404 || got.Header.Get("Content-Type") != "application/problem+json" || err != nil || problem.Status != 404 {
			t.Errorf("POST %s: got %d %q %+v (%v), want a problem document with 404", path, got.StatusCode, got.Header.Get("Content-Type"), problem, err)
		}
	}
}

func TestSite_AssetsHaveTypesAndLastAYear(t *testing.T) {
	s := open(t, build())
	for path, want := range map[string]string{
		"/assets/main-ABC.js": "text/javascript; charset=utf-8", "/assets/styles-DEF.css": "text/css; charset=utf-8",
		"/assets/licenses-GHI.txt": "text/plain; charset=utf-8", "/assets/logo-JKL.svg": "image/svg+xml",
	} {
		got := ask(s, "GET", path)

		if got.StatusCode != 200 || got.Header.Get("Content-Type") != want {
			t.Errorf("GET %s: got %d %q, want 200 %q", path, got.StatusCode, got.Header.Get("Content-Type"), want)
		}
		if cache := got.Header.Get("Cache-Control"); cache != "public, max-age=31536000, immutable" {
			t.Errorf("GET %s: got cache %q, want a year and immutable", path, cache)
		}
	}
}

func TestSite_AnAssetThatIsGoneIsNotKept(t *testing.T) {
	for _, path := range []string{"/assets/main-OLD.js", "/assets/", "/assets/main-ABC.js.br", "/assets/../index.html"} {
		got := ask(open(t, build()), "GET", path)

		if got.StatusCode != 404 || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: got %d %q, want 404 no-store", path, got.StatusCode, got.Header.Get("Cache-Control"))
		}
	}
}

func TestSite_SendsTheSmallestFormThatIsTaken(t *testing.T) {
	s := open(t, build())
	for accept, want := range map[string][2]string{
		"":                       {"", "let plain;"},
		"gzip, deflate, br":      {"br", "brotli"},
		"GZIP":                   {"gzip", "gzipped"},
		"br;q=0, gzip;q=0.5":     {"gzip", "gzipped"},
		"br;q=0,gzip; q=0.000":   {"", "let plain;"},
		"br;q=nonsense, zstd, *": {"", "let plain;"},
	} {
		got := ask(s, "GET", "/assets/main-ABC.js", "Accept-Encoding", accept)

		if body := text(t, got); got.Header.Get("Content-Encoding") != want[0] || body != want[1] {
			t.Errorf("accept %q: got %q %q, want %q %q", accept, got.Header.Get("Content-Encoding"), body, want[0], want[1])
		}
		if got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("accept %q: got vary %q, want Accept-Encoding", accept, got.Header.Get("Vary"))
		}
	}
}

func TestSite_WhatIsUnchangedIsNotSentAgain(t *testing.T) {
	s := open(t, build())
	for path, accept := range map[string]string{"/": "", "/assets/main-ABC.js": "br"} {
		tag := ask(s, "GET", path, "Accept-Encoding", accept).Header.Get("ETag")

		same := ask(s, "GET", path, "Accept-Encoding", accept, "If-None-Match", `"x", W/`+tag)
		other := ask(s, "GET", path, "Accept-Encoding", accept, "If-None-Match", `"x"`)

		if tag == "" || same.StatusCode != 304 || text(t, same) != "" || other.StatusCode != 200 {
			t.Errorf("GET %s: got tag %q, %d with it, %d without; want 304 and 200", path, tag, same.StatusCode, other.StatusCode)
		}
	}
}

func TestSite_FormsHaveTagsOfTheirOwn(t *testing.T) {
	s := open(t, build())

	br := ask(s, "GET", "/assets/main-ABC.js", "Accept-Encoding", "br").Header.Get("ETag")
	got := ask(s, "GET", "/assets/main-ABC.js", "If-None-Match", br)

	if got.StatusCode != 200 {
		t.Errorf("the plain form with the tag of the brotli one: got %d, want 200", got.StatusCode)
	}
}

func TestSite_HeadSaysTheLengthAlone(t *testing.T) {
	got := ask(open(t, build()), "HEAD", "/assets/main-ABC.js", "Accept-Encoding", "gzip")

	if body := text(t, got); got.StatusCode != 200 || got.Header.Get("Content-Length") != "7" || body != "" {
		t.Errorf("HEAD: got %d, length %q, %q; want 200, 7 and no body", got.StatusCode, got.Header.Get("Content-Length"), body)
	}
}

func TestSite_PagesCanOnlyBeRead(t *testing.T) {
	got := ask(open(t, build()), "POST", "/apps")

	if got.StatusCode != 405 || got.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /apps: got %d, allow %q; want 405 GET, HEAD", got.StatusCode, got.Header.Get("Allow"))
	}
}

func TestSite_EveryAnswerIsFencedIn(t *testing.T) {
	s := open(t, build())
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Content-Security-Policy": policy,
	}
	for _, path := range []string{"/", "/nowhere", "/assets/main-ABC.js", "/assets/gone.js", "/api/v1/nowhere"} {
		got := ask(s, "GET", path)

		for name, value := range want {
			if got.Header.Get(name) != value {
				t.Errorf("GET %s: got %s %q, want %q", path, name, got.Header.Get(name), value)
			}
		}
	}
	for _, loose := range []string{"unsafe", "http:", "https:", "blob:", " *"} {
		if strings.Contains(policy, loose) {
			t.Errorf("the policy allows %q", loose)
		}
	}
}

func TestLoad_WithoutABuildSaysHowToGetOne(t *testing.T) {
	s := open(t, fstest.MapFS{"placeholder.html": {Data: []byte("make build")}})

	got := text(t, ask(s, "GET", "/"))

	if got != "make build" {
		t.Errorf("GET /: got %q, want the placeholder", got)
	}
}

func TestLoad_RefusesWhatItCannotServe(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no document":           {},
		"an unknown type":       {"index.html": {}, "assets/a.wasm": {}},
		"a form without a file": {"index.html": {}, "assets/a.js.br": {}},
	} {
		if _, err := load(files); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

func TestHandler_ServesWhatIsEmbedded(t *testing.T) {
	got := ask(Handler(), "GET", "/")

	if body := text(t, got); got.StatusCode != 200 || !strings.Contains(body, "<title>Aorta") {
		t.Errorf("GET /: got %d %q, want a document", got.StatusCode, body)
	}
}
