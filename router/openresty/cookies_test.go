package openresty

import (
	"slices"
	"strings"
	"testing"
)

const sessionCookie = "aorta_session" // as web/auth has it

// An app gets every cookie as it was sent, but for the dashboard's session.
func TestNginx_DashboardsSessionReachesNoApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct {
		sent, want []string
	}{
		{[]string{sessionCookie + "=secret"}, nil},
		{[]string{"a=1; " + sessionCookie + "=secret; b=2"}, []string{"a=1; b=2"}},
		{[]string{sessionCookie + "=secret;b=2"}, []string{"b=2"}},
		{[]string{"a=1", "b=2; " + sessionCookie + " =\"secret\"", sessionCookie + "=more"}, []string{"a=1", "b=2"}},
		{[]string{"a=1;__Host-" + sessionCookie + "=secret; " + sessionCookie + "=secret"}, []string{"a=1"}},
		{[]string{sessionCookie + "\t=secret", "a=1"}, []string{"a=1"}},
		{[]string{"x" + sessionCookie + "=mine; y=" + sessionCookie}, []string{"x" + sessionCookie + "=mine; y=" + sessionCookie}},
		{[]string{"a=1", "b"}, []string{"a=1", "b"}},
	} {
		headers := ""
		for _, line := range c.sent {
			headers += "Cookie: " + line + "\r\n"
		}

		saw, client := r.exchange("POST /x?y HTTP/1.1\r\nHost: shop.example.com\r\n"+headers+"Content-Length: 2\r\n\r\nok", plainAnswer)

		var got []string
		for _, line := range saw {
			if value, ok := strings.CutPrefix(line, "Cookie: "); ok {
				got = append(got, value)
			}
		}
		if !slices.Equal(got, c.want) || client[0] != "HTTP/1.1 200 OK" || saw[0] != "POST /x?y HTTP/1.1" {
			t.Errorf("%q: got %q of %q, and %q; want the cookies %q", c.sent, got, saw, client, c.want)
		}
	}
}
