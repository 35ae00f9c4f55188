package openresty

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"aorta/router"
)

// asks asks for a host with what its client accepts, and gives the whole answer.
func (r *rig) asks(method, host, accept string) (*http.Response, string) {
	r.tb.Helper()
	client := r.dial()
	defer func() { _ = client.Close() }()
	client.send("%s / HTTP/1.1\r\nAccept: %s\r\nHost: %s\r\nConnection: close\r\n\r\n", method, accept, host)
	return client.answer(method)
}

// Who asks for HTML gets a page with its own word for what is the matter; programs
// get what they got before.
func TestNginx_BrowsersGetPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	empty, fresh, stopped := route("empty.example.com"), route("fresh.example.com"), route("stopped.example.com", newApp(t, nil))
	fresh.Groups = []router.Group{}
	stopped.Maintenance = true
	r.publish(empty, fresh, stopped, route("refusing.example.com", deadApp(t)))
	const firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

	for _, c := range []struct {
		host   string
		status int
		title  string
		text   string
	}{
		{"unknown.example.com", 404, "No such app here", "no app here has the host name unknown.example.com"},
		{"fresh.example.com", 404, "shop has no release yet", `app "shop" has no release yet (deploy it: git push aorta main`},
		{"stopped.example.com", 503, "shop is stopped", `app "shop" is stopped (start it: aorta ps start -a shop)`},
		{"empty.example.com", 503, "No instance of shop is ready", `app "shop" has no running instance`},
		{"refusing.example.com", 502, "shop gave no valid answer", "no instance accepts connections"},
		{"a_b.example.com", 400, "This is no host name", "the Host header is not a host name"},
		{`"><script>alert(1)</script>`, 400, "", ""},
	} {
		page, html := r.asks("GET", c.host, firefox)
		head, nothing := r.asks("HEAD", c.host, firefox)
		program, json := r.asks("GET", c.host, "*/*")

		if page.StatusCode != c.status || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(html, "<h1>"+c.title) {
			t.Errorf("%s: got %d %s\n%s\nwant a page of %d with %q", c.host, page.StatusCode, page.Header.Get("Content-Type"), html, c.status, c.title)
		}
		if strings.Contains(html, "<script") || strings.Contains(html, "//") && strings.Contains(html, "src=") {
			t.Errorf("%s: the page has a script or something from elsewhere:\n%s", c.host, html)
		}
		if head.StatusCode != c.status || nothing != "" {
			t.Errorf("%s: got %d %q for HEAD, want %d and no body", c.host, head.StatusCode, nothing, c.status)
		}
		says := strings.ReplaceAll(c.text, `"`, `\"`)
		if program.StatusCode != c.status || program.Header.Get("Content-Type") != "application/json" || !strings.HasPrefix(json, `{"error":"`) || !strings.Contains(json, says) {
			t.Errorf("%s: got %d %s %s for a program, want %d with %q", c.host, program.StatusCode, program.Header.Get("Content-Type"), json, c.status, says)
		}
	}
}

func TestNginx_AcceptSaysWhoGetsAPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("empty.example.com"))
	for accept, want := range map[string]bool{
		"text/html": true, "TEXT/HTML;q=0.5": true, "text/html, application/json": true, "application/json;q=0.5, text/html": true,
		"application/json, text/html": false, "text/html;q=0.5, application/json": false, "text/html;q=0": false,
		"*/*": false, "application/json": false, "text/plain": false, "": false, "text/html2": false, ",;,;q=,": false,
		strings.Repeat("x,", 2000) + "text/html": false,
	} {
		resp, body := r.asks("GET", "empty.example.com", accept)

		if got := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"); got != want || resp.Header.Get("Vary") != "Accept" {
			t.Errorf("Accept %.60q: got a page %t (%s), want %t", accept, got, body, want)
		}
	}
}

// answer reads a whole answer to a request of a method.
func (w *wire) answer(method string) (*http.Response, string) {
	w.tb.Helper()
	resp, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		w.tb.Fatalf("read an answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.tb.Fatalf("read an answer's body: %v", err)
	}
	return resp, string(body)
}
