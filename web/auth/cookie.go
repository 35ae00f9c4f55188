package auth

import (
	"net/http"
	"net/netip"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/store"
)

// CookieName holds the session in a browser that speaks plain HTTP. The router
// knows it, and keeps it from apps.
const CookieName = "aorta_session"

// HostCookieName holds it over TLS: browsers take a name that begins so only
// from the host itself, over TLS, so that neither an app on a sibling host nor
// somebody on the way can put another session in its place.
const HostCookieName = "__Host-" + CookieName

// maxAgent is as much of a browser's name as is kept, in characters.
const maxAgent = 200

// peer is where a request comes from.
type peer struct {
	address netip.Addr // the connection's; headers could claim any
	agent   string
	cookie  string // of a session, good or not; empty: none
	several bool   // session cookies that differ came
	secure  bool   // the browser speaks TLS
}

func (g *Gate) peerOf(ctx huma.Context) peer {
	p := peer{agent: printable(ctx.Header("User-Agent")), secure: ctx.TLS() != nil || g.origins.behindTLS(ctx.Host())}
	if at, err := netip.ParseAddrPort(ctx.RemoteAddr()); err == nil {
		p.address = at.Addr().Unmap().WithZone("")
	}
	header := http.Header{}
	ctx.EachHeader(func(name, value string) {
		if name == "Cookie" {
			header.Add(name, value)
		}
	})
	for _, c := range (&http.Request{Header: header}).CookiesNamed(p.cookieName()) {
		p.several = p.several || p.cookie != "" && p.cookie != c.Value
		p.cookie = c.Value
	}
	return p
}

func (p peer) cookieName() string {
	if p.secure {
		return HostCookieName
	}
	return CookieName
}

// printable is a browser's name as it may be shown and kept.
func printable(s string) string {
	clean := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "")))
	return string(clean[:min(len(clean), maxAgent)])
}

// bake makes the cookie that holds a session. Lax keeps it out of what other
// sites send on their own.
func (p peer) bake(value string) http.Cookie {
	return http.Cookie{
		Name: p.cookieName(), Value: value, Path: "/", MaxAge: int(store.SessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure,
	}
}

// cleared is the header that makes a browser forget the cookie.
func (p peer) cleared() string {
	c := p.bake("")
	c.MaxAge = -1
	return c.String()
}
