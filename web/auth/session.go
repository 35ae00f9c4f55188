package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
	"aorta/web/rest"
	"aorta/web/wire"
)

type signIn struct{ Body wire.SignIn }

// signedIn sets the browser's cookie.
type signedIn struct {
	Cookie http.Cookie `header:"Set-Cookie"`
	Body   wire.Session
}

// signedOut clears the cookie; empty, it leaves it alone.
type signedOut struct {
	Cookie string `header:"Set-Cookie"`
}

type sessionPath struct {
	Session string `path:"session" maxLength:"40"`
}

// Routes adds sign-in and sessions.
func (g *Gate) Routes(h *rest.API) {
	doc := h.OpenAPI()
	doc.Components.SecuritySchemes["session"] = &huma.SecurityScheme{Type: "apiKey", In: "cookie", Name: CookieName, Description: "Over TLS it is called " + HostCookieName + "."}
	doc.Security = append(doc.Security, map[string][]string{"session": {}})
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/session", Summary: "Sign in: turn a token into a session, held by a cookie", Role: access.Anyone, Subject: access.OnSelf}, g.signIn)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/session", Summary: "Show who is signed in", Role: access.Viewer, Subject: access.OnSelf}, g.showSession)
	rest.Register(h, rest.Route{Method: rest.Delete, Path: "/session", Summary: "Sign out", Role: access.Viewer, Subject: access.OnSelf, Status: http.StatusNoContent}, g.signOut)
	rest.Register(h, rest.Route{Method: rest.Post, Path: "/session/links", Summary: "Make a link that signs a browser in, once, within two minutes", Role: access.Viewer, Subject: access.OnSelf, Secret: true}, g.makeLink)
	rest.Register(h, rest.Route{Method: rest.Get, Path: "/sessions", Summary: "List one's own sessions", Role: access.Viewer, Subject: access.OnSelf}, g.listSessions)
	rest.Register(h, rest.Route{Method: rest.Delete, Path: "/sessions/{session}", Summary: "End a session of one's own; admins any", Role: access.Viewer, Subject: access.OnSelf, Status: http.StatusNoContent}, g.endSession)
}

// signIn counts wrong tokens. A right one is taken whatever their count: those who
// come by one proxy have one address, and nobody is to lock the others out.
func (g *Gate) signIn(ctx context.Context, in *signIn) (*signedIn, error) {
	from := visitOf(ctx).from
	s, cookie, err := g.store.StartSession(ctx, store.NewSession{
		TokenHash: store.HashToken(in.Body.Token), Agent: from.agent, Address: from.address.String(), Replaces: from.cookie,
	})
	if errors.Is(err, store.ErrBadToken) {
		return nil, g.wrong(from, err)
	}
	if err != nil {
		return nil, err
	}
	return &signedIn{Cookie: from.bake(cookie), Body: sessionWire(s)}, nil
}

// wrong answers a wrong token.
func (g *Gate) wrong(from peer, err error) error {
	wait, allowed := g.attempts.Take(from.address)
	if allowed {
		return rest.Unauthorized(err.Error())
	}
	seconds := int(wait/time.Second) + 1
	return rest.TooMany(fmt.Sprintf("too many wrong tokens came from this address: try again in %d s", seconds), seconds)
}

func sessionWire(s store.Session) wire.Session {
	var end *time.Time // of a bearer token: none
	if !s.ExpiresAt.IsZero() {
		end = &s.ExpiresAt
	}
	return wire.Session{User: s.User.Name, Role: s.User.Role, Session: string(s.ID), ExpiresAt: end}
}

func (g *Gate) showSession(ctx context.Context, _ *struct{}) (*rest.Reply[wire.Session], error) {
	s := visitOf(ctx).session
	s.User = visitOf(ctx).user
	return rest.OK(sessionWire(s), nil)
}

func (g *Gate) signOut(ctx context.Context, _ *struct{}) (*signedOut, error) {
	own := visitOf(ctx).session.ID
	if own == "" {
		return nil, cluster.NotFound("this request carries a token and no session: there is nothing to sign out of")
	}
	return g.end(ctx, own)
}

func (g *Gate) endSession(ctx context.Context, in *sessionPath) (*signedOut, error) {
	return g.end(ctx, cluster.ID(in.Session))
}

func (g *Gate) end(ctx context.Context, id cluster.ID) (*signedOut, error) {
	if err := g.store.EndSession(ctx, visitOf(ctx).user, id); err != nil {
		return nil, err
	}
	v := visitOf(ctx)
	if id != v.session.ID {
		return &signedOut{}, nil
	}
	return &signedOut{Cookie: v.from.cleared()}, nil
}

func (g *Gate) listSessions(ctx context.Context, in *rest.Paged) (*rest.Reply[wire.Page[wire.OpenSession]], error) {
	if err := in.Check(rest.CheckID); err != nil {
		return nil, err
	}
	list, err := g.store.Sessions(ctx, visitOf(ctx).user.ID)
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
	return rest.OK(rest.Window(*in, items, func(s wire.OpenSession) string { return s.Session }), nil)
}
