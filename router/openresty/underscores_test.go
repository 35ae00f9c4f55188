package openresty

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"aorta/router"
)

// hyphened are the names that stand in nginx.conf or mean something to nginx and
// that an interface like CGI's gives an app with underscores, whichever were sent.
var hyphened = []string{
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Request-Id",
	"X-Real-Ip", "Content-Length", "Transfer-Encoding", "Keep-Alive",
}

// inUnderscores are ways to write a name with some underscore in it.
func inUnderscores(name string) []string {
	last := strings.LastIndex(name, "-")
	return []string{
		strings.ReplaceAll(name, "-", "_"),
		strings.ToUpper(name[:last] + "_" + name[last+1:]),
		strings.ToLower(strings.Replace(name, "-", "_", 1)),
	}
}

// trusting is a router that trusts its test, or nobody.
func trusting(t *testing.T, trusted bool) *rig {
	return newRig(t, func(c *Config) {
		if trusted {
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
	})
}

func TestNginx_NoUnderscoreForgesAHeader(t *testing.T) {
	t.Parallel()
	for _, trusted := range []bool{false, true} {
		t.Run(fmt.Sprint("trusted ", trusted), func(t *testing.T) {
			t.Parallel()
			r := trusting(t, trusted)
			for _, name := range hyphened {
				for _, form := range inUnderscores(name) {
					saw, _ := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\n"+form+": 6666\r\nX_Other_Name: 1\r\n\r\n", plainAnswer)

					holds(t, "app", saw, "X_Other_Name: 1")
					for _, line := range saw {
						if strings.HasSuffix(line, ": 6666") {
							t.Errorf("%s: the app saw %q", form, line)
						}
					}
				}
			}
		})
	}
}

// What a client wrote with underscores stands before what its proxy says.
func TestNginx_NoUnderscoreReplacesWhatAProxySays(t *testing.T) {
	t.Parallel()
	r := trusting(t, true)
	said := map[string]string{
		"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.org", "X-Forwarded-Port": "443", "X-Request-Id": "abc-1",
		"X-Forwarded-For": "203.0.113.9",
	}
	forged := map[string]string{
		"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.org", "X-Forwarded-Port": "666", "X-Request-Id": "evil",
		"X-Forwarded-For": "6.6.6.6",
	}
	for name, value := range said {
		for _, form := range inUnderscores(name) {
			saw, _ := r.exchange(fmt.Sprintf("GET / HTTP/1.1\r\nHost: shop.example.com\r\n%s: %s\r\n%s: %s\r\n%s: %s\r\n\r\n",
				form, forged[name], name, value, form, forged[name]), plainAnswer)

			if name == "X-Forwarded-For" {
				value += ", 127.0.0.1"
			}
			holds(t, "app", saw, name+": "+value)
			value = strings.TrimSuffix(value, ", 127.0.0.1")
		}
	}
}

// What is said twice is not said: no request of one proxy has it.
func TestNginx_ProxyThatContradictsItselfIsSpokenFor(t *testing.T) {
	t.Parallel()
	r := trusting(t, true)

	saw, _ := r.exchange("GET / HTTP/1.1\r\nHost: shop.example.com\r\nX-Forwarded-Proto: https\r\nx-forwarded-proto: https\r\n"+
		"X-Forwarded-Host: evil.org\r\nX-Forwarded-Host: shop.org\r\n\r\n", plainAnswer)

	holds(t, "app", saw, "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example.com")
}

func TestNginx_NoUnderscorePassesTheLimitOfABody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(limited(newApp(t, counts), func(r *router.Record) { r.MaxBody = 1000 }))
	for _, lie := range []string{"Content_Length: 1", "CONTENT_LENGTH: x", "Transfer_Encoding: identity"} {
		for _, head := range []string{"Content-Length: 5000", "Transfer-Encoding: chunked"} {
			client := r.dial()
			client.send("POST / HTTP/1.1\r\nHost: shop.example.com\r\n%s\r\n%s\r\n\r\n", lie, head)
			if head == "Content-Length: 5000" {
				client.send("%5000d", 1)
			} else {
				client.send("1388\r\n%5000d\r\n", 1)
			}
			if status, _ := client.head(); !strings.HasPrefix(status, "HTTP/1.1 413") {
				t.Errorf("%s, %s: got %q, want 413", lie, head, status)
			}
			_ = client.Close()
		}
	}
}
