package nodeapi

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

func TestOrigin_IsWhereTheConnectionComesFrom(t *testing.T) {
	at := &net.TCPAddr{IP: net.ParseIP("10.77.0.1"), Port: 7421}
	for remote, want := range map[string]string{
		"10.77.0.3:999":          "10.77.0.3",
		"[::ffff:10.77.0.3]:999": "10.77.0.3",
		"[fd77::3]:999":          "fd77::3",
		"127.0.0.1:999":          "127.0.0.1",
		"10.77.0.1:999":          "::1", // this machine, by its own address
		"[::ffff:10.77.0.1]:999": "::1",
		"@":                      "", // of no network,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, at))
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "10.77.0.9")

		if got := origin(humachi.NewContext(nil, r, httptest.NewRecorder())); got != addr(want) {
			t.Errorf("%s: got %s, want %s", remote, got, want)
		}
	}
}

func addr(text string) netip.Addr {
	a, _ := netip.ParseAddr(text)
	return a
}
