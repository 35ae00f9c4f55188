package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

func env(name string) string {
	return map[string]string{
		"AORTA_APP": "shop", "AORTA_RELEASE": "v12", "AORTA_NODE": "n1",
		"AORTA_INSTANCE": "019f0000-0000-7000-8000-0123456789ab",
	}[name]
}

// get answers one request and returns status and body.
func get(t *testing.T, a *app, method, target, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.routes().ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

func TestApp_Answers(t *testing.T) {
	tests := []struct {
		name, method, target, body string
		header                     []string
		status                     int
		says                       []string
	}{
		{"page", "GET", "/", "", []string{"X-Request-Id", "r-1"}, 200, []string{"<h1>shop <span>v12</span>", ">456789ab<", ">n1<", ">r-1<"}},
		{
			"page as JSON", "GET", "/", "",
			[]string{"Accept", "application/json", "X-Request-Id", "r-1"},
			200,
			[]string{`"release":"v12"`, `"request_id":"r-1"`, `"requests":1`, `"instance":"019f0000-0000-7000-8000-0123456789ab"`},
		},
		{"page escapes", "GET", "/", "", []string{"X-Request-Id", "<b>"}, 200, []string{"&lt;b&gt;"}},
		{"health", "GET", "/healthz", "", nil, 200, []string{"ok"}},
		{"echo by header", "POST", "/echo", "12345", []string{"X-Request-Id", "r-2"}, 200, []string{`"id":"r-2"`, `"bytes":5`, `"method":"POST"`, `"app":"shop"`}},
		{"echo by query", "DELETE", "/echo?id=q-1", "", []string{"X-Request-Id", "r-2"}, 200, []string{`"id":"q-1"`, `"method":"DELETE"`}},
		{"status", "GET", "/status?code=503", "", nil, 503, nil},
		{"status out of range", "GET", "/status?code=99", "", nil, 400, []string{"code must be a number from 200 to 599"}},
		{"status missing", "GET", "/status", "", nil, 400, nil},
		{"slow", "GET", "/slow?ms=1", "", nil, 200, []string{"waited 1 ms"}},
		{"too slow", "GET", "/slow?ms=99999999", "", nil, 400, nil},
		{"log", "GET", "/log?text=hi", "", nil, 200, []string{"logged"}},
		{"elsewhere", "GET", "/nowhere", "", nil, 404, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, body := get(t, newApp(env), tt.method, tt.target, tt.body, tt.header...)

			if res.StatusCode != tt.status {
				t.Errorf("status: got %d, want %d", res.StatusCode, tt.status)
			}
			for _, want := range tt.says {
				if !strings.Contains(body, want) {
					t.Errorf("got %q, want %q in it", body, want)
				}
			}
		})
	}
}

func TestApp_CountsPages(t *testing.T) {
	a := newApp(env)
	var v struct{ Requests int }

	for range 3 {
		_, body := get(t, a, "GET", "/", "", "Accept", "application/json")
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatalf("read the answer %q: %v", body, err)
		}
	}

	if v.Requests != 3 {
		t.Errorf("got %d requests, want 3", v.Requests)
	}
}

func TestApp_DefaultsWithoutAPlatform(t *testing.T) {
	a := newApp(func(string) string { return "" })

	_, body := get(t, a, "GET", "/", "")

	if a.port != "5000" || !strings.Contains(body, ">none<") {
		t.Errorf("got port %s and page %q, want 5000 and an instance that says none", a.port, body)
	}
}

func TestServe_FinishesRequestsInFlight(t *testing.T) {
	l, err := net.Listen("tcp", testkit.FreeAddr(t)) // which nobody else takes once it is given back
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	entered, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	ended, answer := make(chan error, 1), make(chan string, 1)
	go func() { ended <- serveOn(ctx, l, handler) }()
	go func() { answer <- fetch("http://" + l.Addr().String()) }()
	<-entered

	cancel()
	refused(t, l.Addr().String())
	close(release)

	if got := <-answer; got != "done" {
		t.Errorf("request in flight: got %q, want done", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("serve: got %v, want nil", err)
	}
}

func fetch(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return string(body)
}

// refused waits until nobody listens any more.
func refused(t *testing.T, address string) {
	t.Helper()
	testkit.Eventually(t, "nobody to listen on "+address, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
}
