package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aorta/web/auth"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

func TestSession_SignInGivesACookieThatWorks(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	got := r.TrySignIn(rig.ViewerToken, map[string]string{"User-Agent": "Fire\tfox\u202e<b>"})
	b := r.Browser(rig.CookieOf(t, got).Value)
	who := b.Do("GET", "/session", "")
	apps := b.Do("GET", "/apps", "")
	write := b.Do("POST", "/apps", `{"name":"shop"}`)
	list := rig.As[wire.Page[wire.OpenSession]](t, b.Do("GET", "/sessions", ""))

	c := rig.CookieOf(t, got)
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure || c.Domain != "" || c.MaxAge != 7*24*3600 || len(c.Value) < 43 {
		t.Errorf("got the cookie %v", c)
	}
	s := rig.As[wire.Session](t, who)
	if s.User != "eye" || s.Role != "viewer" || s.Session == "" || s.ExpiresAt == nil || string(who.Body) != string(got.Body) {
		t.Errorf("got %s at sign-in and %s later, want the same session of eye", got.Body, who.Body)
	}
	if until := time.Until(*s.ExpiresAt); until < 11*time.Hour || until > 12*time.Hour {
		t.Errorf("got an end in %s, want 12 h", until)
	}
	if apps.Status != http.StatusOK || apps.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d, %q; want the list, kept nowhere", apps.Status, apps.Header.Get("Cache-Control"))
	}
	rig.WantProblem(t, write, http.StatusForbidden)
	if len(list.Items) != 1 || list.Items[0].Session != s.Session || !list.Items[0].Current || list.Items[0].Address != "127.0.0.1" || list.Items[0].Agent != "Firefox<b>" {
		t.Errorf("got %+v, want the one session with where it comes from", list.Items)
	}
	if r.Grep(b.Cookie) || strings.Contains(r.Log.String(), b.Cookie) {
		t.Error("the cookie stands in a file or the log")
	}
}

func TestSession_WrongTokensAreToldApartByNothing(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	var first rig.Answer
	for i, token := range []string{"wrong", "", "revoked", "expired", strings.Repeat("x", 9000), "' OR 1=1 --"} {
		got := r.TrySignIn(token, nil)

		rig.WantProblem(t, got, http.StatusUnauthorized)
		if i == 0 {
			first = got
		}
		if string(got.Body) != string(first.Body) || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%.20q: got %s, want the same as for any other: %s", token, got.Body, first.Body)
		}
	}
}

// All who come by one proxy have its address: who tries wrong tokens can't lock out
// those who have a right one.
func TestSession_ManyWrongTokensMustWaitAndNoRightOne(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	r.SignIn(rig.ViewerToken)
	for range auth.AttemptsEach {
		rig.WantProblem(t, r.TrySignIn("wrong", nil), http.StatusUnauthorized)
	}

	wrong := r.TrySignIn("wrong", map[string]string{"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=192.0.2.9"})
	right := r.TrySignIn(rig.ViewerToken, nil)
	bearer := r.Do(rig.Ask{Method: "GET", Path: "/apps", Token: rig.ViewerToken})

	rig.WantProblem(t, wrong, http.StatusTooManyRequests)
	if after := wrong.Header.Get("Retry-After"); after == "" || after == "0" {
		t.Errorf("got Retry-After %q, want seconds", after)
	}
	if right.Header.Get("Set-Cookie") == "" {
		t.Errorf("a right token: got %d %s, want a session", right.Status, right.Body)
	}
	if bearer.Status != http.StatusOK {
		t.Errorf("got %d for a token in a request, want it untouched", bearer.Status)
	}
	if strings.Contains(r.Log.String(), "request failed") {
		t.Errorf("a wrong token is logged as a failure of ours:\n%s", r.Log)
	}
}

func TestSession_TheCookieIsNewAtEachSignIn(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	first := r.SignIn(rig.ViewerToken)
	planted := "chosen-by-somebody-else"

	again := r.TrySignIn(rig.ViewerToken, map[string]string{"Cookie": auth.CookieName + "=" + first.Cookie})
	fixed := r.TrySignIn(rig.ViewerToken, map[string]string{"Cookie": auth.CookieName + "=" + planted})

	if c := rig.CookieOf(t, again); c.Value == first.Cookie {
		t.Error("got the same cookie again, want a new one")
	}
	if c := rig.CookieOf(t, fixed); c.Value == planted {
		t.Error("got the planted cookie, want a new one")
	}
	rig.WantEnded(t, first.Do("GET", "/apps", ""))
	rig.WantEnded(t, r.Browser(planted).Do("GET", "/apps", ""))
}

func TestSession_SignOutEndsItAtOnce(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	one, two := r.SignIn(rig.ViewerToken), r.SignIn(rig.ViewerToken)

	out := one.Do("DELETE", "/session", "")

	if c := rig.CookieOf(t, out); out.Status != http.StatusNoContent || c.MaxAge >= 0 {
		t.Errorf("got %d, %v; want 204 and the cookie cleared", out.Status, c)
	}
	rig.WantEnded(t, one.Do("GET", "/session", ""))
	if got := two.Do("GET", "/session", ""); got.Status != http.StatusOK {
		t.Errorf("got %d for the other session, want it untouched", got.Status)
	}
	rig.WantProblem(t, r.Do(rig.Ask{Method: "GET", Path: "/session"}), http.StatusUnauthorized)
	bearer := r.Do(rig.Ask{Method: "GET", Path: "/session", Token: rig.ViewerToken})
	if s := rig.As[wire.Session](t, bearer); s.User != "eye" || s.Session != "" || s.ExpiresAt != nil {
		t.Errorf("got %s for a token, want its user and no session", bearer.Body)
	}
	rig.WantProblem(t, r.Do(rig.Ask{Method: "DELETE", Path: "/session", Token: rig.ViewerToken}), http.StatusNotFound)
}

func TestSession_OthersAreForAdminsToEnd(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	eye, dev, dev2, admin := r.SignIn(rig.ViewerToken), r.SignIn(rig.DeveloperToken), r.SignIn(rig.DeveloperToken), r.SignIn(rig.AdminToken)
	path := func(b rig.Browser) string { return "/sessions/" + b.Session.Session }

	rig.WantProblem(t, eye.Do("DELETE", path(dev), ""), http.StatusNotFound)
	rig.WantProblem(t, dev.Do("DELETE", path(admin), ""), http.StatusNotFound)
	ownOther := dev.Do("DELETE", path(dev2), "")
	byAdmin := admin.Do("DELETE", path(eye), "")
	own := dev.Do("DELETE", path(dev), "")

	for name, got := range map[string]rig.Answer{"another of one's own": ownOther, "by an admin": byAdmin} {
		if got.Status != http.StatusNoContent || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d, %q; want 204 and the own cookie kept", name, got.Status, got.Header.Get("Set-Cookie"))
		}
	}
	if c := rig.CookieOf(t, own); own.Status != http.StatusNoContent || c.MaxAge >= 0 {
		t.Errorf("the own one: got %d, %v; want 204 and the cookie cleared", own.Status, c)
	}
	for _, b := range []rig.Browser{eye, dev, dev2} {
		rig.WantEnded(t, b.Do("GET", "/session", ""))
	}
	if got := admin.Do("GET", "/session", ""); got.Status != http.StatusOK {
		t.Errorf("got %d for the admin, want the session untouched", got.Status)
	}
}

func TestSession_EndsInItsTimeAndWithItsToken(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).UnixNano() }
	for name, end := range map[string]func(b rig.Browser){
		"idle": func(b rig.Browser) {
			r.Exec(`UPDATE sessions SET seen_at = ? WHERE id = ?`, ago(12*time.Hour), b.Session.Session)
		},
		"old": func(b rig.Browser) {
			r.Exec(`UPDATE sessions SET created_at = ? WHERE id = ?`, ago(7*24*time.Hour), b.Session.Session)
		},
		"token revoked": func(b rig.Browser) { r.Exec(`UPDATE tokens SET revoked_at = 1 WHERE user_id = ?`, b.User) },
		"token expired": func(b rig.Browser) { r.Exec(`UPDATE tokens SET expires_at = ? WHERE user_id = ?`, ago(0), b.User) },
		"user gone":     func(b rig.Browser) { r.Exec(`DELETE FROM users WHERE id = ?`, b.User) },
	} {
		b := r.Stranger(name)
		if got := b.Do("GET", "/apps", ""); got.Status != http.StatusOK {
			t.Fatalf("%s: got %d before, want it let in", name, got.Status)
		}

		end(b)

		rig.WantEnded(t, b.Do("GET", "/apps", ""))
		if t.Failed() {
			t.Fatal(name)
		}
	}
}
