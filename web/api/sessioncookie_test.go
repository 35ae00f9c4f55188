package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSession_TwoCookiesThatDifferAreGoodForNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	own, planted := r.signIn(viewerToken), r.signIn(developerToken)
	with := func(cookies ...string) answer {
		return r.do(ask{method: "GET", path: "/session", header: map[string]string{"Cookie": strings.Join(cookies, "; ")}})
	}

	differ := with(cookieName+"="+planted.cookie, cookieName+"="+own.cookie)
	same := with("other=1", cookieName+"="+own.cookie, cookieName+"="+own.cookie)

	wantEnded(t, differ)
	if same.status != http.StatusOK {
		t.Errorf("got %d for the same cookie twice, want it let in", same.status)
	}
}

func TestSession_PagesFromElsewhereMayNotUseTheCookie(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.signIn(developerToken)
	own := []string{"Origin", r.url}
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
		bearing := append([]string{"Authorization", "Bearer " + developerToken}, c.header...)
		for _, try := range [][3]string{
			{"POST", "/apps/none/deploys", `{"image":"img:1"}`}, {"DELETE", "/apps/none?confirm=none", ""}, {"GET", "/apps/none", ""},
		} {
			got := b.do(try[0], try[1], try[2], c.header...)
			bearer := b.do(try[0], try[1], try[2], bearing...)

			want := http.StatusForbidden
			if c.let {
				want = http.StatusNotFound // what it asks for is not there
			}
			wantProblem(t, got, want)
			wantProblem(t, bearer, http.StatusNotFound)
			if t.Failed() {
				t.Fatalf("%s: %s %s", name, try[0], try[1])
			}
		}
	}
	if got := b.do("GET", "/session", ""); got.status != http.StatusOK {
		t.Errorf("got %d, want the session untouched by all that", got.status)
	}
}

func TestSession_NobodyIsSignedInByAPageFromElsewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"},
		{"Origin": "http://evil.example"},
		{"Origin": "http://evil.example", "Content-Type": "text/plain"},
	} {
		got := r.trySignIn(viewerToken, header)

		wantProblem(t, got, http.StatusForbidden)
		if got.header.Get("Set-Cookie") != "" {
			t.Errorf("%v: got a cookie", header)
		}
	}
}

func TestSession_ItsCookieIsSecureOverTLS(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := httptest.NewTLSServer(r.api.Adapter())
	defer server.Close()

	resp, err := server.Client().Post(server.URL+prefix+"/session", "application/json", strings.NewReader(`{"token":"`+viewerToken+`"}`))
	must(t, err)
	defer func() { _ = resp.Body.Close() }()

	if c := cookieOf(t, answer{status: resp.StatusCode, header: resp.Header}); !c.Secure || !c.HttpOnly {
		t.Errorf("got %v, want it for TLS alone", c)
	}
}

func TestDoors_SayWhichCookieIsSecure(t *testing.T) {
	for _, c := range []struct {
		public, host string
		want         bool
	}{
		{"https://aorta.example.com", "aorta.example.com", true},
		{"https://aorta.example.com", "AORTA.example.com", true},
		{"https://aorta.example.com:8443", "aorta.example.com", false},
		{"https://aorta.example.com", "127.0.0.1:7420", false},
		{"http://aorta.example.com", "aorta.example.com", false},
		{"", "", false},
		{"::", "::", false},
		{"https://", "", false},
	} {
		if got := newDoors(c.public).behindTLS(c.host); got != c.want {
			t.Errorf("%q reached as %q: got %t, want %t", c.public, c.host, got, c.want)
		}
	}
	p := peer{secure: true}
	if c := p.bake("x"); !c.Secure || !strings.Contains(p.cleared(), "Secure") {
		t.Errorf("got %v, want it for TLS alone", c)
	}
}
