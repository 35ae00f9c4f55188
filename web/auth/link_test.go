package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/auth"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// visit opens a link as a browser does, and follows nothing.
func visit(t *testing.T, r *rig.Rig, path string, header ...string) rig.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+path, nil)
	testkit.Must(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	testkit.Must(t, err)
	_ = resp.Body.Close()
	return rig.Answer{Status: resp.StatusCode, Header: resp.Header}
}

// wantRefused checks that a visit was led to the form, without a session, and why.
func wantRefused(t *testing.T, got rig.Answer, why string) {
	t.Helper()
	if to := got.Header.Get("Location"); got.Status != http.StatusSeeOther || to != "/login?refused="+why || got.Header.Get("Set-Cookie") != "" {
		t.Errorf("got %d to %q with the cookie %q, want the form with refused=%s", got.Status, to, got.Header.Get("Set-Cookie"), why)
	}
}

func link(t *testing.T, r *rig.Rig, token string) string {
	t.Helper()
	got := r.Do(rig.Ask{Method: "POST", Path: "/session/links", Token: token, Header: map[string]string{"Idempotency-Key": "the same"}})
	return rig.As[wire.SignInLink](t, got).Path
}

func TestLink_SignsInOnceWithTheRoleOfItsToken(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	path := link(t, r, rig.ViewerToken)
	other := link(t, r, rig.ViewerToken)

	first := visit(t, r, path+"?next=%2Fapps%2Fshop", "User-Agent", "Firefox")
	second := visit(t, r, path)

	if to := first.Header.Get("Location"); first.Status != http.StatusSeeOther || to != "/login?next=%2Fapps%2Fshop" {
		t.Errorf("got %d to %q, want the page that was asked for", first.Status, to)
	}
	if first.Header.Get("Cache-Control") != "no-store" || first.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("got %v, want an answer that nobody keeps", first.Header)
	}
	b := r.Browser(rig.CookieOf(t, first).Value)
	if s := rig.As[wire.Session](t, b.Do("GET", "/session", "")); s.User != "eye" || s.Role != "viewer" {
		t.Errorf("got %+v, want the viewer that the token is of", s)
	}
	wantRefused(t, second, "link")
	code := strings.TrimPrefix(path, auth.LoginPath+"/")
	if path == other || len(code) < 26 || strings.Contains(path, rig.ViewerToken) {
		t.Errorf("got the links %q and %q, want two that nobody guesses", path, other)
	}
	if r.Grep(code) || strings.Contains(r.Log.String(), code) {
		t.Error("the code stands in a file or the log")
	}
	rig.WantProblem(t, b.Do("POST", "/session/links", ""), http.StatusForbidden)
}

func TestLink_OfATokenThatWasRevokedIsRefused(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	path := link(t, r, rig.DeveloperToken)
	r.Exec(`UPDATE tokens SET revoked_at = 1`)

	wantRefused(t, visit(t, r, path), "link")
}

// A page of another site can't sign anybody in, as whoever it likes.
func TestLink_FromAnotherSiteIsRefusedAndStaysGood(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	path := link(t, r, rig.ViewerToken)

	wantRefused(t, visit(t, r, path, "Sec-Fetch-Site", "cross-site"), "elsewhere")
	wantRefused(t, visit(t, r, path, "Sec-Fetch-Site", "same-site"), "elsewhere")

	if got := visit(t, r, path, "Sec-Fetch-Site", "none"); got.Header.Get("Set-Cookie") == "" {
		t.Errorf("typed by hand: got %v, want a session", got.Header)
	}
}

func TestLink_WrongCodesCountLikeWrongTokens(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	path := link(t, r, rig.ViewerToken)
	for range auth.AttemptsEach {
		wantRefused(t, visit(t, r, auth.LoginPath+"/WRONG"), "link")
	}

	wantRefused(t, visit(t, r, auth.LoginPath+"/WRONG"), "often")
	rig.WantProblem(t, r.TrySignIn("wrong", nil), http.StatusTooManyRequests)
	if got := visit(t, r, path); got.Header.Get("Set-Cookie") == "" {
		t.Errorf("a right code: got %v, want a session", got.Header)
	}
}
