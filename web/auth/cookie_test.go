package auth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/auth"
	"aorta/web/internal/rig"
	"aorta/web/rest"
)

func TestSession_TwoCookiesThatDifferAreGoodForNothing(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	own, planted := r.SignIn(rig.ViewerToken), r.SignIn(rig.DeveloperToken)
	with := func(cookies ...string) rig.Answer {
		return r.Do(rig.Ask{Method: "GET", Path: "/session", Header: map[string]string{"Cookie": strings.Join(cookies, "; ")}})
	}

	differ := with(auth.CookieName+"="+planted.Cookie, auth.CookieName+"="+own.Cookie)
	same := with("other=1", auth.CookieName+"="+own.Cookie, auth.CookieName+"="+own.Cookie)

	rig.WantEnded(t, differ)
	if same.Status != http.StatusOK {
		t.Errorf("got %d for the same cookie twice, want it let in", same.Status)
	}
}

func TestSession_PagesFromElsewhereMayNotUseTheCookie(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	b := r.SignIn(rig.DeveloperToken)
	own := []string{"Origin", r.URL}
	cases := map[string]struct {
		header []string
		let    bool
	}{
		"another site":    {[]string{"Sec-Fetch-Site", "cross-site"}, false},
		"a sibling host":  {[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://shop.aorta.localhost"}, false},
		"an old browser":  {[]string{"Origin", "http://evil.example"}, false},
		"no origin":       {[]string{"Origin", "null"}, false},
		"this site":       {append(own, "Sec-Fetch-Site", "same-origin"), true},
		"this site, old":  {own, true},
		"typed by a hand": {[]string{"Sec-Fetch-Site", "none"}, true},
		"a program":       {nil, true},
	}
	for name, c := range cases {
		bearing := append([]string{"Authorization", "Bearer " + rig.DeveloperToken}, c.header...)
		for _, try := range [][3]string{
			{"POST", "/apps/none/deploys", `{"image":"img:1"}`}, {"DELETE", "/apps/none?confirm=none", ""}, {"GET", "/apps/none", ""},
		} {
			got := b.Do(try[0], try[1], try[2], c.header...)
			bearer := b.Do(try[0], try[1], try[2], bearing...)

			want := http.StatusForbidden
			if c.let {
				want = http.StatusNotFound // what it asks for is not there
			}
			rig.WantProblem(t, got, want)
			rig.WantProblem(t, bearer, http.StatusNotFound)
			if t.Failed() {
				t.Fatalf("%s: %s %s", name, try[0], try[1])
			}
		}
	}
	if got := b.Do("GET", "/session", ""); got.Status != http.StatusOK {
		t.Errorf("got %d, want the session untouched by all that", got.Status)
	}
}

func TestSession_NobodyIsSignedInByAPageFromElsewhere(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"},
		{"Origin": "http://evil.example"},
		{"Origin": "http://evil.example", "Content-Type": "text/plain"},
	} {
		got := r.TrySignIn(rig.ViewerToken, header)

		rig.WantProblem(t, got, http.StatusForbidden)
		if got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v: got a cookie", header)
		}
	}
}

func TestSession_ItsCookieIsSecureOverTLS(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	server := httptest.NewTLSServer(r.API.Adapter())
	defer server.Close()

	resp, err := server.Client().Post(server.URL+rest.Prefix+"/session", "application/json", strings.NewReader(`{"token":"`+rig.ViewerToken+`"}`))
	testkit.Must(t, err)
	defer func() { _ = resp.Body.Close() }()

	if c := rig.CookieOf(t, rig.Answer{Status: resp.StatusCode, Header: resp.Header}); !c.Secure || !c.HttpOnly || c.Name != auth.HostCookieName || c.Path != "/" || c.Domain != "" {
		t.Errorf("got %v, want it for TLS and this host alone", c)
	}
}

// Over TLS a cookie that another host, or a page without TLS, may have set is no
// session.
func TestSession_OverTLSAPlainCookieIsNone(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	b := r.SignIn(rig.ViewerToken)
	server := httptest.NewTLSServer(r.API.Adapter())
	defer server.Close()

	for name, want := range map[string]int{auth.HostCookieName: http.StatusOK, auth.CookieName: http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+rest.Prefix+"/session", nil)
		testkit.Must(t, err)
		req.AddCookie(&http.Cookie{Name: name, Value: b.Cookie})
		resp, err := server.Client().Do(req)
		testkit.Must(t, err)
		_ = resp.Body.Close()

		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", name, resp.StatusCode, want)
		}
	}
}
