package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
	"aorta/web/attempts"
	"aorta/web/rest"
)

// wrongEach is how many wrong tokens an address may try in a minute.
const wrongEach = 10

// Gate finds out who asks, and lets them do what they may.
type Gate struct {
	store    *store.Store
	log      *slog.Logger
	origins  *origins
	attempts *attempts.Counter
	links    *links
	uses     *uses
}

// New makes a gate. publicURL is how browsers reach the API through a proxy,
// empty without one.
func New(s *store.Store, publicURL string, log *slog.Logger) *Gate {
	return &Gate{store: s, log: log, origins: newOrigins(publicURL), attempts: attempts.New(time.Now, wrongEach), links: newLinks(time.Now), uses: newUses()}
}

// Use puts the gate in front of all operations that are registered later.
func (g *Gate) Use(h *rest.API) { h.UseMiddleware(g.authenticate, g.authorize) }

// Watch ends a request, in the background, once its user may not make it
// any more. It is for streams, which last longer than one check.
func Watch(ctx context.Context) {
	if g := visitOf(ctx).guard; g != nil {
		go g.watch(ctx) // ends with the request
	}
}

type contextKey int

const (
	userKey contextKey = iota
	visitKey
)

// User is who asks, in an operation behind the gate.
func User(ctx context.Context) access.User {
	u, _ := ctx.Value(userKey).(access.User)
	return u
}

// ByToken finds whose token it is, for what is no operation of the REST API.
func ByToken(ctx context.Context, s *store.Store, token string) (access.User, error) {
	user, err := s.UserByToken(ctx, token)
	return userOf(user), err
}

func userOf(u store.User) access.User {
	return access.User{ID: string(u.ID), Name: u.Name, Role: access.Role(u.Role)}
}

// visit is what is known of a request besides its user.
type visit struct {
	from    peer
	user    store.User
	session store.Session // zero for a bearer token
	guard   *guard        // nil for an operation that is open to anyone

	tokenHash string // of a bearer token; empty for a session
}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey).(*visit); ok {
		return v
	}
	return &visit{}
}

// identify finds out who asks; it may be called again while the request lasts.
type identify func(context.Context) (store.User, store.Session, error)

// authenticate lets in who shows a good token or, without one, the cookie of a
// good session. An operation that is open to anyone checks the origin alone.
func (g *Gate) authenticate(ctx huma.Context, next func(huma.Context)) {
	need := rest.RouteOf(ctx.Operation()).Role
	v := &visit{from: g.peerOf(ctx)}
	if need == access.Anyone {
		if err := g.origins.check(ctx); err != nil {
			rest.Refuse(ctx, g.log, err)
			return
		}
		next(huma.WithValue(ctx, visitKey, v))
		return
	}
	who, err := g.credential(ctx, v.from)
	if err != nil {
		rest.Refuse(ctx, g.log, err)
		return
	}
	user, session, err := who(ctx.Context())
	if err != nil {
		if errors.Is(err, store.ErrSessionEnded) {
			ctx.SetHeader("Set-Cookie", v.from.cleared())
		}
		rest.Refuse(ctx, g.log, err)
		return
	}
	bounded, end := context.WithCancelCause(context.WithValue(ctx.Context(), userKey, userOf(user)))
	defer end(nil)
	v.user, v.session, v.guard = user, session, &guard{identify: who, need: need, end: end}
	if token := rest.Bearer(ctx); token != "" {
		v.tokenHash = store.HashToken(token)
	}
	next(huma.WithContext(ctx, context.WithValue(bounded, visitKey, v)))
}

// credential says how who asks is found: by the token or by the cookie, which
// only pages of this site may use.
func (g *Gate) credential(ctx huma.Context, from peer) (identify, error) {
	token := rest.Bearer(ctx)
	switch {
	case token != "":
		return func(ctx context.Context) (store.User, store.Session, error) {
			user, err := g.store.UserByToken(ctx, token)
			return user, store.Session{}, err
		}, nil
	case from.cookie == "":
		return nil, rest.Unauthorized("a token is needed (log in: aorta login URL --token -)")
	}
	// What a person reads here must not stay on the disk of the machine.
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetHeader("X-Content-Type-Options", "nosniff")
	if err := g.origins.check(ctx); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (store.User, store.Session, error) { return g.bySession(ctx, from) }, nil
}

func (g *Gate) bySession(ctx context.Context, from peer) (store.User, store.Session, error) {
	if from.several {
		return store.User{}, store.Session{}, &cluster.Error{
			Code: cluster.CodeForbidden, Err: store.ErrSessionEnded,
			Message: "the browser sent two sessions that differ: remove this site's cookies and sign in again",
		}
	}
	s, err := g.store.SessionByCookie(ctx, from.cookie)
	if err == nil {
		g.recordUse(ctx, s)
	}
	return s.User, s, err
}

// authorize lets through who may do the operation to its subject.
func (g *Gate) authorize(ctx huma.Context, next func(huma.Context)) {
	rt := rest.RouteOf(ctx.Operation())
	if rt.Role == access.Anyone {
		next(ctx)
		return
	}
	user := User(ctx.Context())
	subject, err := g.subject(ctx, rt)
	if !access.Allowed(user, rt.Role, subject) {
		rest.Refuse(ctx, g.log, access.Refusal(ctx.Method()+" "+ctx.Operation().Path, user, rt.Role))
		return
	}
	if guard := visitOf(ctx.Context()).guard; guard != nil {
		guard.subject = subject
	}
	next(huma.WithContext(ctx, access.WithSubject(ctx.Context(), subject, err)))
}

// subject loads what the path names. With an error, the subject is of the kind
// alone.
func (g *Gate) subject(ctx huma.Context, rt rest.Route) (access.Subject, error) {
	s := access.Subject{Kind: rt.Subject}
	var err error
	switch app, node := ctx.Param("app"), ctx.Param("node"); {
	case rt.Subject == access.OnNode:
		s.Node, err = g.store.NodeByName(ctx.Context(), node)
	case rt.Subject != access.OnApp:
	case app != "":
		s.App, err = g.store.App(ctx.Context(), app)
	default:
		s.Operation, s.App, err = g.job(ctx.Context(), ctx.Param("id"))
	}
	return s, err
}

// job finds an operation by its id, or by the short form of it, and its app.
func (g *Gate) job(ctx context.Context, id string) (cluster.Operation, cluster.App, error) {
	op, err := g.store.FindOperation(ctx, id)
	if cluster.CodeOf(err) == cluster.CodeNotFound {
		return op, cluster.App{}, cluster.NotFound("job %.40q does not exist (list jobs with: aorta jobs)", id)
	}
	return op, cluster.App{ID: op.AppID}, err
}
