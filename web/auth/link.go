package auth

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/rest"
	"aorta/web/wire"
)

const (
	// LinkTTL is how long a link to sign in is good for.
	LinkTTL = 2 * time.Minute
	// linksEach bounds the links that are open of a user, whose own oldest gives
	// way: nobody ends those of others.
	linksEach = 10
	// LoginPath is where links lead, and the page that asks for a token.
	LoginPath = "/login"
)

// Why a link was refused, for the page that asks for a token instead.
const (
	refusedLink      = "link"      // it is of none, was used or has expired
	refusedOften     = "often"     // too many wrong ones came from the address
	refusedElsewhere = "elsewhere" // a page of another site led here
	refusedFailure   = "failure"   // it could not be looked up
)

// link is a sign-in that was prepared with a token, for one browser.
type link struct {
	user      string // by id
	tokenHash string
	until     time.Time
}

// links are the open ones. They live in memory: a restart of the pacemaker ends
// them.
type links struct {
	now func() time.Time

	mu   sync.Mutex      // guards open
	open map[string]link // by the hash of their code
}

func newLinks(now func() time.Time) *links { return &links{now: now, open: map[string]link{}} }

// add opens a user's link and gives its code, which is kept nowhere.
func (l *links) add(user, tokenHash string) (code string, until time.Time) {
	code, until = rand.Text(), l.now().Add(LinkTTL) // 130 bits
	l.mu.Lock()
	defer l.mu.Unlock()
	l.makeRoom(user)
	l.open[store.HashToken(code)] = link{user: user, tokenHash: tokenHash, until: until}
	return code, until
}

// makeRoom drops what has expired and, if that is not enough, the user's oldest.
func (l *links) makeRoom(user string) {
	oldest, own := "", 0
	for hash, k := range l.open {
		if !k.until.After(l.now()) {
			delete(l.open, hash)
			continue
		}
		if k.user != user {
			continue
		}
		if own++; oldest == "" || k.until.Before(l.open[oldest].until) {
			oldest = hash
		}
	}
	if own >= linksEach {
		delete(l.open, oldest)
	}
}

// take ends the link of a code and gives it; false when there is none that is good.
func (l *links) take(code string) (link, bool) {
	hash := store.HashToken(code)
	l.mu.Lock()
	defer l.mu.Unlock()
	k, found := l.open[hash]
	delete(l.open, hash)
	return k, found && k.until.After(l.now())
}

// makeLink is for the command line, which has a token and opens a browser: the
// token stays out of the address.
func (g *Gate) makeLink(ctx context.Context, _ *struct{}) (*rest.Reply[wire.SignInLink], error) {
	hash := visitOf(ctx).tokenHash
	if hash == "" {
		return nil, cluster.Forbidden("a link to sign in is made with a token, and this request came with a session")
	}
	code, until := g.links.add(User(ctx).ID, hash)
	return rest.OK(wire.SignInLink{Path: LoginPath + "/" + code, ExpiresAt: until.UTC()}, nil)
}

// Link signs in whoever comes with the code of a link, once, and leads on to the
// page in the query's next.
func (g *Gate) Link(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	cookie, refused := g.byLink(r)
	if refused != "" {
		http.Redirect(w, r, LoginPath+"?refused="+refused, http.StatusSeeOther)
		return
	}
	http.SetCookie(w, cookie)
	to := LoginPath // whose page knows which of our own addresses to show
	if next := r.URL.Query().Get("next"); next != "" {
		to += "?next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// byLink takes the link of a request and makes its session, or says why not. Wrong
// codes count as wrong tokens do, and a right one is taken whatever their count.
func (g *Gate) byLink(r *http.Request) (cookie *http.Cookie, refused string) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		return nil, refusedElsewhere
	}
	from := g.peerFrom(request{header: r.Header, remote: r.RemoteAddr, host: r.Host, tls: r.TLS != nil})
	k, good := g.links.take(chi.URLParam(r, "code"))
	if !good {
		return nil, g.wrongLink(from)
	}
	_, value, err := g.store.StartSession(r.Context(), store.NewSession{
		TokenHash: k.tokenHash, Agent: from.agent, Address: from.address.String(), Replaces: from.cookie,
	})
	switch {
	case cluster.CodeOf(err) == cluster.CodeForbidden && err != nil:
		return nil, g.wrongLink(from)
	case err != nil:
		g.log.WarnContext(r.Context(), "a sign-in by a link failed", "err", err)
		return nil, refusedFailure
	}
	baked := from.bake(value)
	return &baked, ""
}

func (g *Gate) wrongLink(from peer) string {
	if _, allowed := g.attempts.Take(from.address); !allowed {
		return refusedOften
	}
	return refusedLink
}
