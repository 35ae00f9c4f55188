package openresty

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// exchange sends a request by hand to an instance that answers by hand, and
// returns what each side saw: first line and headers.
func (r *rig) exchange(request, answer string) (appSaw, clientSaw []string) {
	r.tb.Helper()
	saw := make(chan []string, 1)
	r.publish(route("shop.example.com", rawApp(r.tb, func(w *wire) {
		first, headers := w.head()
		saw <- append([]string{first}, headers...)
		w.send("%s", answer)
	})))
	client := r.dial()
	client.send("%s", request)
	first, headers := client.head()
	select {
	case appSaw = <-saw:
	default: // the router answered by itself
	}
	return appSaw, append([]string{first}, headers...)
}

const plainAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// holds fails for each line that is lacking.
func holds(t *testing.T, who string, got []string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: got %q, which lacks %q", who, got, line)
		}
	}
}

func TestNginx_RequestReachesTheAppAsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)

	saw, _ := r.exchange("PURGE /a//b/../c%2f%C3%A4\xc3\xa4?x=%zz&&y HTTP/1.1\r\nHost: SHOP.example.com:8080\r\n"+
		"X_Api_Key: s\r\nX.Dotted: d\r\nX-Twice: 1\r\nX-Twice: 2\r\nOrigin: http://SHOP.example.com:8080\r\n\r\n", plainAnswer)

	holds(t, "app", saw, "PURGE /a//b/../c%2f%C3%A4\xc3\xa4?x=%zz&&y HTTP/1.1", "Host: SHOP.example.com:8080",
		"X_Api_Key: s", "X.Dotted: d", "X-Twice: 1", "X-Twice: 2",
		"X-Forwarded-Host: SHOP.example.com:8080", "X-Forwarded-Proto: http", "X-Forwarded-For: 127.0.0.1",
		"X-Forwarded-Port: "+r.base[strings.LastIndex(r.base, ":")+1:])
}

func TestNginx_AnswerReachesTheClientAsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	// Whatever an app may say to steer nginx is but a header here.
	lines := []string{
		"HTTP/1.1 299 As It Is", "Server: own/1", "Date: yesterday", "Location: http://aorta_instances/x",
		"X-Accel-Redirect: /x", "X-Accel-Limit-Rate: 1", "X-Accel-Buffering: yes", "X-Accel-Charset: koi8-r", "X-Accel-Expires: 9",
		"Refresh: 1; url=http://aorta_instances/", "X-Pad: p", "Set-Cookie: a=1", "Set-Cookie: b=2", "X_Under: u",
	}

	_, saw := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", strings.Join(lines, "\r\n")+"\r\nContent-Length: 0\r\n\r\n")

	holds(t, "client", saw, lines...)
	for _, line := range saw {
		if strings.HasPrefix(line, "Server: nginx") {
			t.Errorf("client: got %q beside the app's own", line)
		}
	}
}

func TestNginx_HeadsUpToTheirLimitPass(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	long := strings.Repeat("c", 30_000)

	saw, got := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\nCookie: "+long+"\r\n\r\n",
		"HTTP/1.1 200 OK\r\nSet-Cookie: "+long+"\r\nContent-Length: 0\r\n\r\n")

	holds(t, "app", saw, "Cookie: "+long)
	holds(t, "client", got, "HTTP/1.1 200 OK", "Set-Cookie: "+long)
}

func TestNginx_SwitchesToAnyProtocolButHTTP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for offered, want := range map[string]string{
		"websocket": "websocket", "WebSocket": "WebSocket", "foo/2": "foo/2", "spdystream": "spdystream",
		"h2c": "", "H2C": "", "foo, h2c": "", "HTTP/2.0": "", "TLS/1.2": "",
	} {
		saw, _ := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "+offered+"\r\n\r\n", plainAnswer)

		got := ""
		for _, line := range saw {
			if rest, ok := strings.CutPrefix(line, "Upgrade: "); ok {
				got = rest
			}
		}
		if len(saw) == 0 || got != want || slices.Contains(saw, "Connection: upgrade") != (want != "") {
			t.Errorf("offered %q: the app saw %q in %q, want %q", offered, got, saw, want)
		}
	}
}

const spoofed = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.org\r\n" +
	"X-Forwarded-Port: 443\r\nForwarded: for=203.0.113.9\r\nX-Request-Id: abc-1\r\n"

func TestNginx_ForwardedHeadersCountFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		trusted string
		want    []string
	}{
		{"", []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example.com"}},
		{"10.0.0.0/8", []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example.com"}},
		{"127.0.0.0/8", []string{"X-Forwarded-For: 203.0.113.9, 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.org", "X-Forwarded-Port: 443", "Forwarded: for=203.0.113.9"}},
	} {
		t.Run(test.trusted, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) {
				if test.trusted != "" {
					c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(test.trusted)}
				}
			})

			saw, _ := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\n"+spoofed+"\r\n", plainAnswer)

			holds(t, "app", saw, append(test.want, "X-Request-Id: abc-1")...)
			if forwarded := strings.Count(strings.Join(saw, "\n"), "orwarded: "); forwarded != strings.Count(strings.Join(test.want, "\n"), "orwarded: ") {
				t.Errorf("Forwarded: got %d in %q", forwarded, saw)
			}
		})
	}
}

// A trusted proxy that says nothing, or nonsense, is spoken for.
func TestNginx_TrustedProxyMayBeSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	for _, said := range []string{"", "X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: a b\r\nX-Forwarded-Port: x\r\n"} {
		saw, _ := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com:8080\r\n"+said+"\r\n", plainAnswer)

		holds(t, "app", saw, "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example.com:8080")
	}
}

// What could hide a second request, or another app's name, goes no further.
func TestNginx_AmbiguousRequestsAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, lines := range map[string]string{
		"two hosts":           "Host: shop.example.com\r\nHost: other.example.com\r\n",
		"length and chunks":   "Host: shop.example.com\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		"two lengths":         "Host: shop.example.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
		"space in a name":     "Host: shop.example.com\r\nX Y: 1\r\n",
		"folded header":       "Host: shop.example.com\r\nX: 1\r\n 2\r\n",
		"no host":             "",
		"host of another use": "Host: shop.example.com:@evil.org\r\n",
	} {
		saw, got := r.exchange(fmt.Sprintf("POST / HTTP/1.1\r\n%s\r\n", lines), plainAnswer)

		if saw != nil || !strings.HasPrefix(got[0], "HTTP/1.1 400") {
			t.Errorf("%s: the app saw %q and the client %q, want nothing and 400", name, saw, got[0])
		}
	}
	// The Host header routes and is what the app sees, whatever the target says.
	saw, _ := r.exchange("GET http://other.example.com/x HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", plainAnswer)
	holds(t, "app", saw, "GET /x HTTP/1.1", "Host: shop.example.com", "X-Forwarded-Host: shop.example.com")
}
