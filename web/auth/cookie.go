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
	r := request{header: http.Header{}, remote: ctx.RemoteAddr(), host: ctx.Host(), tls: ctx.TLS() != nil}
	ctx.EachHeader(func(name, value string) {
		if name == "Cookie" || name == "User-Agent" {
			r.header.Add(name, value)
		}
	})
	return g.peerFrom(r)
}

// request is what tells where a request comes from.
type request struct {
	header       http.Header
	remote, host string
	tls          bool
}

func (g *Gate) peerFrom(r request) peer {
	p := peer{agent: printable(r.header.Get("User-Agent")), secure: r.tls || g.origins.behindTLS(r.host)}
	if at, err := netip.ParseAddrPort(r.remote); err == nil {
		p.address = at.Addr().Unmap().WithZone("")
	}
	for _, c := range (&http.Request{Header: r.header}).CookiesNamed(p.cookieName()) {
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
