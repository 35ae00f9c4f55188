package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

type signIn struct{ Body wire.SignIn }

// signedIn hands the browser its cookie.
type signedIn struct {
	Cookie http.Cookie `header:"Set-Cookie"`
	Body   wire.Session
}

// signedOut takes the cookie back; empty, it leaves it alone.
type signedOut struct {
	Cookie string `header:"Set-Cookie"`
}

type sessionPath struct {
	Session string `path:"session" maxLength:"40"`
}

func (a *API) sessionRoutes(h huma.API) {
	doc := h.OpenAPI()
	doc.Components.SecuritySchemes["session"] = &huma.SecurityScheme{Type: "apiKey", In: "cookie", Name: cookieName}
	doc.Security = append(doc.Security, map[string][]string{"session": {}})
	register(h, a, route{method: post, path: "/session", summary: "Sign in: turn a token into a session, held by a cookie", policy: anyone}, a.signIn)
	register(h, a, route{method: get, path: "/session", summary: "Show who is signed in", policy: self}, a.showSession)
	register(h, a, route{method: remove, path: "/session", summary: "Sign out", policy: self, status: http.StatusNoContent}, a.signOut)
	register(h, a, route{method: get, path: "/sessions", summary: "List one's own sessions", policy: self}, a.listSessions)
	register(h, a, route{method: remove, path: "/sessions/{session}", summary: "End a session of one's own; admins any", policy: self, status: http.StatusNoContent}, a.endSession)
}

// signIn takes its turn before the token is looked at: attempts at the same
// moment count as those one after the other do.
func (a *API) signIn(ctx context.Context, in *signIn) (*signedIn, error) {
	from := visitOf(ctx).from
	wait, allowed := a.attempts.take(from.address)
	if !allowed {
		return nil, tooMany(wait)
	}
	s, cookie, err := a.store.StartSession(ctx, store.NewSession{
		Token: in.Body.Token, Agent: from.agent, Address: from.address.String(), Replaces: from.cookie,
	})
	if errors.Is(err, store.ErrBadToken) {
		return nil, unauthorized(err.Error())
	}
	a.attempts.giveBack(from.address)
	if err != nil {
		return nil, err
	}
	return &signedIn{Cookie: from.bake(cookie), Body: sessionWire(s)}, nil
}

func tooMany(wait time.Duration) error {
	seconds := int(wait/time.Second) + 1
	return &problem{wire.Problem{
		Title: http.StatusText(http.StatusTooManyRequests), Status: http.StatusTooManyRequests, Code: string(cluster.CodeUnavailable),
		Detail: fmt.Sprintf("too many wrong tokens came from this address: try again in %d s", seconds),
	}, seconds}
}

func sessionWire(s store.Session) wire.Session {
	return wire.Session{User: s.User.Name, Role: s.User.Role, Session: string(s.ID), ExpiresAt: timeOrNil(s.ExpiresAt)}
}

func (a *API) showSession(ctx context.Context, _ *struct{}) (*reply[wire.Session], error) {
	s := visitOf(ctx).session
	s.User = userOf(ctx)
	return ok(sessionWire(s), nil)
}

func (a *API) signOut(ctx context.Context, _ *struct{}) (*signedOut, error) {
	own := visitOf(ctx).session.ID
	if own == "" {
		return nil, cluster.NotFound("this request carries a token and no session: there is nothing to sign out of")
	}
	return a.end(ctx, own)
}

func (a *API) endSession(ctx context.Context, in *sessionPath) (*signedOut, error) {
	return a.end(ctx, cluster.ID(in.Session))
}

func (a *API) end(ctx context.Context, id cluster.ID) (*signedOut, error) {
	if err := a.store.EndSession(ctx, userOf(ctx), id); err != nil {
		return nil, err
	}
	v := visitOf(ctx)
	if id != v.session.ID {
		return &signedOut{}, nil
	}
	return &signedOut{Cookie: v.from.cleared()}, nil
}

func (a *API) listSessions(ctx context.Context, in *Paged) (*reply[wire.Page[wire.OpenSession]], error) {
	if err := in.checked(checkID); err != nil {
		return nil, err
	}
	list, err := a.store.Sessions(ctx, userOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	current := visitOf(ctx).session.ID
	items := make([]wire.OpenSession, len(list))
	for i, s := range list {
		items[i] = wire.OpenSession{
			Session: string(s.ID), User: s.User.Name, Agent: s.Agent, Address: s.Address,
			CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt, Current: s.ID == current,
		}
	}
	return ok(window(*in, items, func(s wire.OpenSession) string { return s.Session }), nil)
}
