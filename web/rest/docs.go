package rest

import (
	"encoding/json"
	"fmt"
	"html"
	"iter"
	"net/http"
	"sort"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// operationID names an operation by what it does: get-apps-app.
func operationID(rt Route) string {
	clean := strings.NewReplacer("{", "", "}", "").Replace(strings.Trim(rt.Path, "/"))
	return strings.ToLower(rt.Method) + "-" + strings.ReplaceAll(clean, "/", "-")
}

// MountDocs serves the OpenAPI document and a page of our own that lists it:
// nothing is fetched from elsewhere.
func MountDocs(r chi.Router, h *API) {
	doc, err := json.Marshal(h.OpenAPI())
	if err != nil {
		panic(fmt.Sprintf("encode the OpenAPI document: %v", err)) // made of our own types at start
	}
	page := docsPage(h.OpenAPI())
	r.Get("/api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc)
	})
	r.Get("/api/docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write(page)
	})
}

const docsHead = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Aorta API</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}td{padding:.25rem .75rem .25rem 0;vertical-align:top;border-top:1px solid #8884}
code{font:14px ui-monospace,monospace}</style>
<h1>Aorta API</h1><p>The whole of it, with every field: <a href="/api/openapi.json">openapi.json</a>.
A request carries <code>Authorization: Bearer TOKEN</code>.</p><table>`

// Operations goes through all that a document describes.
func Operations(doc *huma.OpenAPI) iter.Seq[*huma.Operation] {
	return func(yield func(*huma.Operation) bool) {
		for _, item := range doc.Paths {
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Put, item.Delete} {
				if op != nil && !yield(op) {
					return
				}
			}
		}
	}
}

func docsPage(doc *huma.OpenAPI) []byte {
	var rows []string
	for op := range Operations(doc) {
		rows = append(rows, fmt.Sprintf("<tr><td><code>%s %s</code><td>%s", html.EscapeString(op.Method), html.EscapeString(op.Path), html.EscapeString(op.Summary)))
	}
	sort.Slice(rows, func(i, j int) bool { return strings.SplitN(rows[i], " ", 2)[1] < strings.SplitN(rows[j], " ", 2)[1] })
	return []byte(docsHead + strings.Join(rows, "\n") + "</table>\n")
}
