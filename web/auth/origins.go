package auth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
)

// origins are the addresses that browsers reach this API by.
type origins struct {
	public *url.URL // nil: none is known
	guard  *http.CrossOriginProtection
}

func newOrigins(public string) *origins {
	o := &origins{guard: http.NewCrossOriginProtection()}
	u, err := url.Parse(public)
	if err != nil || u.Host == "" || o.guard.AddTrustedOrigin(u.Scheme+"://"+u.Host) != nil {
		return o
	}
	o.public = u
	return o
}

// behindTLS says that a proxy in front ends TLS for this host.
func (o *origins) behindTLS(host string) bool {
	return o.public != nil && o.public.Scheme == "https" && strings.EqualFold(o.public.Host, host)
}

// check refuses what a page from elsewhere sends with this site's cookie. Reads
// are judged like writes: an app on a sibling host counts as the same site to
// SameSite, and has no business here.
func (o *origins) check(ctx huma.Context) error {
	header := http.Header{}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		if v := ctx.Header(name); v != "" {
			header.Set(name, v)
		}
	}
	if err := o.guard.Check(&http.Request{Method: http.MethodPost, Host: ctx.Host(), Header: header}); err != nil {
		return &cluster.Error{Code: cluster.CodeForbidden, Message: "this request was sent by a page from elsewhere: open the dashboard itself, or use a token", Err: err}
	}
	return nil
}
