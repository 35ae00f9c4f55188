package rig

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/store"
	"aorta/web/auth"
	"aorta/web/rest"
	"aorta/web/wire"
)

// Browser is somebody who is signed in.
type Browser struct {
	r      *Rig
	Cookie string
	wire.Session
}

// Browser is one with this session cookie, which may be good for nothing.
func (r *Rig) Browser(cookie string) Browser { return Browser{r: r, Cookie: cookie} }

// SignIn signs in and fails the test unless that succeeds.
func (r *Rig) SignIn(token string) Browser {
	r.TB.Helper()
	got := r.TrySignIn(token, nil)
	if got.Status != http.StatusOK {
		r.TB.Fatalf("sign in: got %d %s", got.Status, got.Body)
	}
	return Browser{r: r, Cookie: CookieOf(r.TB, got).Value, Session: As[wire.Session](r.TB, got)}
}

// TrySignIn asks for a session with a token.
func (r *Rig) TrySignIn(token string, header map[string]string) Answer {
	r.TB.Helper()
	return r.Do(Ask{Method: "POST", Path: "/session", Body: `{"token":"` + token + `"}`, Header: header})
}

// CookieOf is the session cookie that an answer sets.
func CookieOf(tb testing.TB, a Answer) *http.Cookie {
	tb.Helper()
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == auth.CookieName || c.Name == auth.HostCookieName {
			return c
		}
	}
	tb.Fatalf("got no session cookie in %v (%d %s)", a.Header, a.Status, a.Body)
	return nil
}

// Do asks with the cookie; header is name, value, name, value.
func (b Browser) Do(method, path, body string, header ...string) Answer {
	b.r.TB.Helper()
	a := Ask{Method: method, Path: path, Body: body, Header: map[string]string{"Cookie": auth.CookieName + "=" + b.Cookie}}
	for i := 0; i < len(header); i += 2 {
		a.Header[header[i]] = header[i+1]
	}
	return b.r.Do(a)
}

// WantEnded checks that a cookie is good for nothing and is taken back.
func WantEnded(tb testing.TB, a Answer) {
	tb.Helper()
	p := WantProblem(tb, a, http.StatusUnauthorized)
	if !strings.Contains(p.Detail, "sign in again") {
		tb.Errorf("got %q, want the way on", p.Detail)
	}
	if c := CookieOf(tb, a); c.MaxAge >= 0 || c.Value != "" || c.Path != "/" {
		tb.Errorf("got %v, want the cookie cleared", c)
	}
}

// Stranger is a new viewer, signed in, whose id is the name.
func (r *Rig) Stranger(name string) Browser {
	r.TB.Helper()
	r.Exec(`INSERT INTO users VALUES (?, ?, 'viewer', 0)`, name, name)
	r.Exec(`INSERT INTO tokens VALUES (?, ?, ?, 0, NULL, NULL)`, "t "+name, name, store.HashToken("token of "+name))
	return r.SignIn("token of " + name)
}

// OpenFeed is an event stream that somebody reads to its end.
type OpenFeed struct {
	Cancel context.CancelFunc
	Ended  chan struct{}
}

// Open follows a stream with the cookie.
func (b Browser) Open(path string) OpenFeed {
	b.r.TB.Helper()
	ctx, cancel := context.WithCancel(b.r.TB.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.r.URL+rest.Prefix+path, nil)
	testkit.Must(b.r.TB, err)
	req.AddCookie(&http.Cookie{Name: auth.CookieName, Value: b.Cookie})
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	testkit.Must(b.r.TB, err)
	if resp.StatusCode != http.StatusOK {
		b.r.TB.Fatalf("%s: got %s", path, resp.Status)
	}
	b.r.TB.Cleanup(cancel)
	f := OpenFeed{Cancel: cancel, Ended: make(chan struct{})}
	go func() { // ends with the stream
		defer close(f.Ended)
		defer func() { _ = resp.Body.Close() }()
		_, _ = io.Copy(io.Discard, resp.Body)
	}()
	return f
}
