package dashboard

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

// built holds placeholder.html, and beside it what ui/build.mjs made.
//
//go:embed all:dist
var built embed.FS

// Handler serves the dashboard at every address that nothing else serves:
// /assets/… the built files, the pages' addresses the one document, and what is
// under /api or /git a 404 in the API's own form. A binary without built pages
// serves one that says how to build them.
func Handler() http.Handler {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	s, err := load(dist)
	if err != nil {
		panic(fmt.Errorf("read the embedded dashboard: %w", err)) // a broken build must not start
	}
	return s
}

// site is the dashboard in memory.
type site struct {
	index  *asset
	assets map[string]*asset // by the path below /assets/
}

// ServeHTTP answers for one address.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	switch {
	case foreign(r.URL.Path):
		refuse(w, http.StatusNotFound, "nothing is served here; what there is stands in /api/openapi.json")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "this is a page; it can only be read")
	case strings.HasPrefix(r.URL.Path, "/assets/"):
		s.asset(w, r)
	default:
		s.page(w, r)
	}
}

// foreign tells of addresses that belong to programs: they never get a page.
func foreign(path string) bool {
	for _, root := range []string{"/api", "/git", "/metrics", "/healthz", "/readyz"} {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}

func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	a, found := s.assets[strings.TrimPrefix(r.URL.Path, "/assets/")]
	if !found {
		w.Header().Set("Cache-Control", "no-store") // a page of another version may ask
		http.Error(w, "no such file; reload the page", http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	a.serve(w, r, http.StatusOK)
}

func (s *site) page(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if !known(r.URL.Path) {
		status = http.StatusNotFound
	}
	w.Header().Set("Cache-Control", "no-cache")
	s.index.serve(w, r, status)
}

// pages are how many parts an address may have below each page.
var pages = map[string]int{"": 0, "login": 0, "nodes": 0, "settings": 0, "jobs": 1, "apps": 2}

// known tells whether the document has a page for an address.
func known(path string) bool {
	first, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	most, found := pages[first]
	if !found || rest == "" {
		return found
	}
	return strings.Count(rest, "/") < most
}
