package client

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aorta/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked is one request that the server of a test got.
type asked struct {
	method, path, query, body string
	header                    http.Header
}

// server answers as told and remembers what it was asked.
type server struct {
	*httptest.Server
	mu  sync.Mutex // guards got
	got []asked
}

func serve(tb testing.TB, answer http.HandlerFunc) *server {
	tb.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.got = append(s.got, asked{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header.Clone()})
		s.mu.Unlock()
		answer(w, r)
	}))
	tb.Cleanup(s.Close)
	return s
}

func (s *server) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.got...)
}

func connect(tb testing.TB, url string, o Options) *Client {
	tb.Helper()
	c, err := New(url, "secret", o)
	if err != nil {
		tb.Fatalf("New(%s): %v", url, err)
	}
	tb.Cleanup(c.Close)
	return c
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func sendProblem(w http.ResponseWriter, p wire.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// cut ends the connection without an answer.
func cut(tb testing.TB, w http.ResponseWriter) {
	tb.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		tb.Errorf("hijack: %v", err)
		return
	}
	_ = conn.Close()
}

// brief are options whose patience a test can wait for.
func brief(notice func(string)) Options {
	return Options{RetryWindow: 3 * time.Second, ReconnectWindow: 3 * time.Second, Notice: notice}
}
