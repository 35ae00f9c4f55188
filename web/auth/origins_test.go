package auth

import (
	"strings"
	"testing"
)

func TestOrigins_SayWhichCookieIsSecure(t *testing.T) {
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
		if got := newOrigins(c.public).behindTLS(c.host); got != c.want {
			t.Errorf("%q reached as %q: got %t, want %t", c.public, c.host, got, c.want)
		}
	}
	p := peer{secure: true}
	if c := p.bake("x"); !c.Secure || !strings.Contains(p.cleared(), "Secure") {
		t.Errorf("got %v, want it for TLS alone", c)
	}
}
