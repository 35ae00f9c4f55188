package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// browser is somebody who is signed in.
type browser struct {
	r      *rig
	cookie string
	wire.Session
}

// signIn signs in and fails the test unless that succeeds.
func (r *rig) signIn(token string) browser {
	r.tb.Helper()
	got := r.trySignIn(token, nil)
	if got.status != http.StatusOK {
		r.tb.Fatalf("sign in: got %d %s", got.status, got.body)
	}
	return browser{r: r, cookie: cookieOf(r.tb, got).Value, Session: as[wire.Session](r.tb, got)}
}

func (r *rig) trySignIn(token string, header map[string]string) answer {
	r.tb.Helper()
	return r.do(ask{method: "POST", path: "/session", body: `{"token":"` + token + `"}`, header: header})
}

// cookieOf is the session cookie that an answer sets.
func cookieOf(tb testing.TB, a answer) *http.Cookie {
	tb.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == cookieName {
			return c
		}
	}
	tb.Fatalf("got no session cookie in %v (%d %s)", a.header, a.status, a.body)
	return nil
}

// do asks with the cookie; header is name, value, name, value.
func (b browser) do(method, path, body string, header ...string) answer {
	b.r.tb.Helper()
	a := ask{method: method, path: path, body: body, header: map[string]string{"Cookie": cookieName + "=" + b.cookie}}
	for i := 0; i < len(header); i += 2 {
		a.header[header[i]] = header[i+1]
	}
	return b.r.do(a)
}

// wantEnded checks that a cookie is good for nothing and is taken back.
func wantEnded(tb testing.TB, a answer) {
	tb.Helper()
	p := wantProblem(tb, a, http.StatusUnauthorized)
	if !strings.Contains(p.Detail, "sign in again") {
		tb.Errorf("got %q, want the way on", p.Detail)
	}
	if c := cookieOf(tb, a); c.MaxAge >= 0 || c.Value != "" || c.Path != "/" {
		tb.Errorf("got %v, want the cookie cleared", c)
	}
}

func TestSession_SignInGivesACookieThatWorks(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	got := r.trySignIn(viewerToken, map[string]string{"User-Agent": "Fire\tfox\u202e<b>"})
	b := browser{r: r, cookie: cookieOf(t, got).Value}
	who := b.do("GET", "/session", "")
	apps := b.do("GET", "/apps", "")
	write := b.do("POST", "/apps", `{"name":"shop"}`)
	list := as[wire.Page[wire.OpenSession]](t, b.do("GET", "/sessions", ""))

	c := cookieOf(t, got)
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure || c.Domain != "" || c.MaxAge != 7*24*3600 || len(c.Value) < 43 {
		t.Errorf("got the cookie %v", c)
	}
	s := as[wire.Session](t, who)
	if s.User != "eye" || s.Role != "viewer" || s.Session == "" || s.ExpiresAt == nil || string(who.body) != string(got.body) {
		t.Errorf("got %s at sign-in and %s later, want the same session of eye", got.body, who.body)
	}
	if until := time.Until(*s.ExpiresAt); until < 11*time.Hour || until > 12*time.Hour {
		t.Errorf("got an end in %s, want 12 h", until)
	}
	if apps.status != http.StatusOK || apps.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d, %q; want the list, kept nowhere", apps.status, apps.header.Get("Cache-Control"))
	}
	wantProblem(t, write, http.StatusForbidden)
	if len(list.Items) != 1 || list.Items[0].Session != s.Session || !list.Items[0].Current || list.Items[0].Address != "127.0.0.1" || list.Items[0].Agent != "Firefox<b>" {
		t.Errorf("got %+v, want the one session with where it comes from", list.Items)
	}
	if r.grep(b.cookie) || strings.Contains(r.log.String(), b.cookie) {
		t.Error("the cookie stands in a file or the log")
	}
}

func TestSession_WrongTokensAreToldApartByNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	var first answer
	for i, token := range []string{"wrong", "", "revoked", "expired", strings.Repeat("x", 9000), "' OR 1=1 --"} {
		got := r.trySignIn(token, nil)

		wantProblem(t, got, http.StatusUnauthorized)
		if i == 0 {
			first = got
		}
		if string(got.body) != string(first.body) || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%.20q: got %s, want the same as for any other: %s", token, got.body, first.body)
		}
	}
}

func TestSession_ManyWrongTokensMustWait(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.signIn(viewerToken)
	for range attemptsEach {
		wantProblem(t, r.trySignIn("wrong", nil), http.StatusUnauthorized)
	}

	wrong := r.trySignIn("wrong", map[string]string{"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=192.0.2.9"})
	right := r.trySignIn(viewerToken, nil)
	bearer := r.do(ask{method: "GET", path: "/apps", token: viewerToken})

	for _, got := range []answer{wrong, right} {
		wantProblem(t, got, http.StatusTooManyRequests)
		if after := got.header.Get("Retry-After"); after == "" || after == "0" {
			t.Errorf("got Retry-After %q, want seconds", after)
		}
	}
	if bearer.status != http.StatusOK {
		t.Errorf("got %d for a token in a request, want it untouched", bearer.status)
	}
	if strings.Contains(r.log.String(), "request failed") {
		t.Errorf("a wrong token is logged as a failure of ours:\n%s", r.log)
	}
}

func TestSession_TheCookieIsNewAtEachSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.signIn(viewerToken)
	planted := "chosen-by-somebody-else"

	again := r.trySignIn(viewerToken, map[string]string{"Cookie": cookieName + "=" + first.cookie})
	fixed := r.trySignIn(viewerToken, map[string]string{"Cookie": cookieName + "=" + planted})

	if c := cookieOf(t, again); c.Value == first.cookie {
		t.Error("got the same cookie again, want a new one")
	}
	if c := cookieOf(t, fixed); c.Value == planted {
		t.Error("got the planted cookie, want a new one")
	}
	wantEnded(t, first.do("GET", "/apps", ""))
	wantEnded(t, browser{r: r, cookie: planted}.do("GET", "/apps", ""))
}

func TestSession_SignOutEndsItAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.signIn(viewerToken), r.signIn(viewerToken)

	out := one.do("DELETE", "/session", "")

	if c := cookieOf(t, out); out.status != http.StatusNoContent || c.MaxAge >= 0 {
		t.Errorf("got %d, %v; want 204 and the cookie cleared", out.status, c)
	}
	wantEnded(t, one.do("GET", "/session", ""))
	if got := two.do("GET", "/session", ""); got.status != http.StatusOK {
		t.Errorf("got %d for the other session, want it untouched", got.status)
	}
	wantProblem(t, r.do(ask{method: "GET", path: "/session"}), http.StatusUnauthorized)
	bearer := r.do(ask{method: "GET", path: "/session", token: viewerToken})
	if s := as[wire.Session](t, bearer); s.User != "eye" || s.Session != "" || s.ExpiresAt != nil {
		t.Errorf("got %s for a token, want its user and no session", bearer.body)
	}
	wantProblem(t, r.do(ask{method: "DELETE", path: "/session", token: viewerToken}), http.StatusNotFound)
}

func TestSession_OthersAreForAdminsToEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eye, dev, dev2, admin := r.signIn(viewerToken), r.signIn(developerToken), r.signIn(developerToken), r.signIn(adminToken)
	path := func(b browser) string { return "/sessions/" + b.Session.Session }

	wantProblem(t, eye.do("DELETE", path(dev), ""), http.StatusNotFound)
	wantProblem(t, dev.do("DELETE", path(admin), ""), http.StatusNotFound)
	ownOther := dev.do("DELETE", path(dev2), "")
	byAdmin := admin.do("DELETE", path(eye), "")
	own := dev.do("DELETE", path(dev), "")

	for name, got := range map[string]answer{"another of one's own": ownOther, "by an admin": byAdmin} {
		if got.status != http.StatusNoContent || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d, %q; want 204 and the own cookie kept", name, got.status, got.header.Get("Set-Cookie"))
		}
	}
	if c := cookieOf(t, own); own.status != http.StatusNoContent || c.MaxAge >= 0 {
		t.Errorf("the own one: got %d, %v; want 204 and the cookie cleared", own.status, c)
	}
	for _, b := range []browser{eye, dev, dev2} {
		wantEnded(t, b.do("GET", "/session", ""))
	}
	if got := admin.do("GET", "/session", ""); got.status != http.StatusOK {
		t.Errorf("got %d for the admin, want the session untouched", got.status)
	}
}

func TestSession_EndsInItsTimeAndWithItsToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).UnixNano() }
	for name, end := range map[string]func(b browser){
		"idle": func(b browser) {
			r.exec(`UPDATE sessions SET seen_at = ? WHERE id = ?`, ago(12*time.Hour), b.Session.Session)
		},
		"old": func(b browser) {
			r.exec(`UPDATE sessions SET created_at = ? WHERE id = ?`, ago(7*24*time.Hour), b.Session.Session)
		},
		"token revoked": func(b browser) { r.exec(`UPDATE tokens SET revoked_at = 1 WHERE user_id = ?`, b.User) },
		"token expired": func(b browser) { r.exec(`UPDATE tokens SET expires_at = ? WHERE user_id = ?`, ago(0), b.User) },
		"user gone":     func(b browser) { r.exec(`DELETE FROM users WHERE id = ?`, b.User) },
	} {
		b := r.stranger(name)
		if got := b.do("GET", "/apps", ""); got.status != http.StatusOK {
			t.Fatalf("%s: got %d before, want it let in", name, got.status)
		}

		end(b)

		wantEnded(t, b.do("GET", "/apps", ""))
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// stranger is a new viewer, signed in, whose id is the name.
func (r *rig) stranger(name string) browser {
	r.tb.Helper()
	r.exec(`INSERT INTO users VALUES (?, ?, 'viewer', 0)`, name, name)
	r.exec(`INSERT INTO tokens VALUES (?, ?, ?, 0, NULL, NULL)`, "t "+name, name, store.HashToken("token of "+name))
	return r.signIn("token of " + name)
}
