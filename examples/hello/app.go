package main

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxSlow = time.Minute
	maxEcho = 64 << 20 // bytes
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// app answers the example's requests. Only the counter changes.
type app struct {
	App      string `json:"app"`
	Release  string `json:"release"`
	Instance string `json:"instance"`
	Node     string `json:"node"`

	port     string
	requests atomic.Int64 // pages served by this instance
}

// view is what the page and its JSON show.
type view struct {
	*app
	Requests  int64  `json:"requests"`
	RequestID string `json:"request_id"`
}

// Short is the instance's id as people read it: the random end of a UUIDv7.
func (v view) Short() string { return v.Instance[max(0, len(v.Instance)-8):] }

// newApp reads what the platform injects; env is os.Getenv.
func newApp(env func(string) string) *app {
	or := func(name, otherwise string) string {
		if v := env(name); v != "" {
			return v
		}
		return otherwise
	}
	return &app{
		App: or("AORTA_APP", "hello"), Release: or("AORTA_RELEASE", "v0"),
		Instance: or("AORTA_INSTANCE", "none"), Node: or("AORTA_NODE", "none"),
		port: or("PORT", "5000"),
	}
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("/echo", a.echo)
	mux.HandleFunc("/slow", slow)
	mux.HandleFunc("/status", status)
	mux.HandleFunc("/log", logText)
	return mux
}

func (a *app) index(w http.ResponseWriter, r *http.Request) {
	v := view{app: a, Requests: a.requests.Add(1), RequestID: r.Header.Get("X-Request-Id")}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, v)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	if err := page.Execute(w, v); err != nil {
		slog.Warn("write the page", "error", err)
	}
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

// echo tells who answered what: load tests match their requests by it.
func (a *app) echo(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxEcho))
	if err != nil {
		http.Error(w, "read the body: "+err.Error(), http.StatusBadRequest)
		return
	}
	id := r.URL.Query().Get("id")
	if id == "" {
		id = r.Header.Get("X-Request-Id")
	}
	writeJSON(w, map[string]any{
		"id": id, "app": a.App, "release": a.Release, "instance": a.Instance,
		"method": r.Method, "bytes": n,
	})
}

// slow answers after ?ms=, or not at all when the client leaves.
func slow(w http.ResponseWriter, r *http.Request) {
	ms, ok := number(w, r, "ms", 0, int(maxSlow.Milliseconds()))
	if !ok {
		return
	}
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		_, _ = io.WriteString(w, "waited "+strconv.Itoa(ms)+" ms\n")
	case <-r.Context().Done():
	}
}

func status(w http.ResponseWriter, r *http.Request) {
	if code, ok := number(w, r, "code", 200, 599); ok {
		w.WriteHeader(code)
	}
}

// logText writes one line of the app's log.
func logText(w http.ResponseWriter, r *http.Request) {
	slog.Info("asked to log", "text", r.URL.Query().Get("text"))
	_, _ = io.WriteString(w, "logged\n")
}

// number reads a whole number within bounds, or answers 400 with what is asked.
func number(w http.ResponseWriter, r *http.Request, name string, low, high int) (int, bool) {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < low || n > high {
		http.Error(w, name+" must be a number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		slog.Warn("write the answer", "error", err)
	}
}
