package api

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// cookieName holds the session in a browser.
const cookieName = "aorta_session"

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

func (a *API) peerOf(ctx huma.Context) peer {
	p := peer{agent: printable(ctx.Header("User-Agent")), secure: ctx.TLS() != nil || a.doors.behindTLS(ctx.Host())}
	if at, err := netip.ParseAddrPort(ctx.RemoteAddr()); err == nil {
		p.address = at.Addr().Unmap().WithZone("")
	}
	header := http.Header{}
	ctx.EachHeader(func(name, value string) {
		if name == "Cookie" {
			header.Add(name, value)
		}
	})
	for _, c := range (&http.Request{Header: header}).CookiesNamed(cookieName) {
		p.several = p.several || p.cookie != "" && p.cookie != c.Value
		p.cookie = c.Value
	}
	return p
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
		Name: cookieName, Value: value, Path: "/", MaxAge: int(store.SessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure,
	}
}

// cleared is the header that makes a browser forget the cookie.
func (p peer) cleared() string {
	c := p.bake("")
	c.MaxAge = -1
	return c.String()
}

// doors are the addresses that browsers reach this API by.
type doors struct {
	public  *url.URL // nil: none is known
	origins *http.CrossOriginProtection
}

func newDoors(public string) *doors {
	d := &doors{origins: http.NewCrossOriginProtection()}
	u, err := url.Parse(public)
	if err != nil || u.Host == "" || d.origins.AddTrustedOrigin(u.Scheme+"://"+u.Host) != nil {
		return d
	}
	d.public = u
	return d
}

// behindTLS says that a proxy in front ends TLS for this host.
func (d *doors) behindTLS(host string) bool {
	return d.public != nil && d.public.Scheme == "https" && strings.EqualFold(d.public.Host, host)
}

// check refuses what a page from elsewhere sends with this site's cookie. Reads
// are judged like writes: an app on a sibling host counts as the same site to
// SameSite, and has no business here.
func (d *doors) check(ctx huma.Context) error {
	header := http.Header{}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		if v := ctx.Header(name); v != "" {
			header.Set(name, v)
		}
	}
	if err := d.origins.Check(&http.Request{Method: http.MethodPost, Host: ctx.Host(), Header: header}); err != nil {
		return &cluster.Error{Code: cluster.CodeForbidden, Message: "this request was sent by a page from elsewhere: open the dashboard itself, or use a token", Err: err}
	}
	return nil
}
