package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

type contextKey int

const (
	userKey contextKey = iota
	nodeKey
	visitKey
)

// userOf is who asks; authenticate has put them there.
func userOf(ctx context.Context) store.User {
	u, _ := ctx.Value(userKey).(store.User)
	return u
}

// visit is what is known of a request besides its user.
type visit struct {
	from    peer
	session store.Session // zero for a bearer token
	guard   *guard        // nil for an operation that is open to anyone
}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey).(*visit); ok {
		return v
	}
	return &visit{}
}

func nodeOf(ctx context.Context) cluster.Node {
	n, _ := ctx.Value(nodeKey).(cluster.Node)
	return n
}

func bearer(ctx huma.Context) string {
	scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// identify finds who asks, and may be called again as long as the request lasts.
type identify func(context.Context) (store.User, store.Session, error)

// authenticate lets in who shows a good token or, without one, the cookie of a
// good session. What anyone may do is only asked where it comes from.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	need, _ := ctx.Operation().Metadata[policyKey].(policy)
	v := &visit{from: a.peerOf(ctx)}
	if need == anyone {
		if err := a.doors.check(ctx); err != nil {
			refuse(ctx, err)
			return
		}
		next(huma.WithValue(ctx, visitKey, v))
		return
	}
	who, err := a.credential(ctx, v.from)
	if err != nil {
		refuse(ctx, err)
		return
	}
	user, session, err := who(ctx.Context())
	if err != nil {
		if errors.Is(err, store.ErrSessionEnded) {
			ctx.SetHeader("Set-Cookie", v.from.cleared())
		}
		refuse(ctx, err)
		return
	}
	bounded, end := context.WithCancelCause(context.WithValue(ctx.Context(), userKey, user))
	defer end(nil)
	v.session, v.guard = session, &guard{identify: who, need: need, end: end}
	next(huma.WithContext(ctx, context.WithValue(bounded, visitKey, v)))
}

// credential says how who asks is found: by the token or by the cookie, which
// only pages of this site may use.
func (a *API) credential(ctx huma.Context, from peer) (identify, error) {
	token := bearer(ctx)
	switch {
	case token != "":
		return func(ctx context.Context) (store.User, store.Session, error) {
			user, err := a.store.UserByToken(ctx, token)
			return user, store.Session{}, err
		}, nil
	case from.cookie == "":
		return nil, unauthorized("a token is needed (log in: aorta login URL --token -)")
	}
	// What a person reads here must not lie about on the disk of the machine.
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetHeader("X-Content-Type-Options", "nosniff")
	if err := a.doors.check(ctx); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (store.User, store.Session, error) { return a.bySession(ctx, from) }, nil
}

func (a *API) bySession(ctx context.Context, from peer) (store.User, store.Session, error) {
	if from.several {
		return store.User{}, store.Session{}, &cluster.Error{
			Code: cluster.CodeForbidden, Err: store.ErrSessionEnded,
			Message: "the browser sent two sessions that differ: remove this site's cookies and sign in again",
		}
	}
	s, err := a.store.SessionByCookie(ctx, from.cookie)
	if err == nil {
		a.saw(ctx, s)
	}
	return s.User, s, err
}

// rank orders the roles; a higher one may do all that a lower one may. What is
// one's own is open to every role.
var rank = map[string]int{string(self): 1, string(viewers): 1, string(developers): 2, string(admins): 3}

func authorize(ctx huma.Context, next func(huma.Context)) {
	need, _ := ctx.Operation().Metadata[policyKey].(policy)
	user := userOf(ctx.Context())
	if need != anyone && (rank[string(need)] == 0 || rank[user.Role] < rank[string(need)]) {
		refuse(ctx, cluster.Forbidden("%s %s needs the role %s; %s has %q", ctx.Method(), ctx.Operation().Path, need, user.Name, user.Role))
		return
	}
	next(ctx)
}

// authenticateNode lets a node in to its own part alone: the id in the path
// must be the token's.
func (a *API) authenticateNode(ctx huma.Context, next func(huma.Context)) {
	token := bearer(ctx)
	if token == "" {
		refuse(ctx, unauthorized("a node token is needed"))
		return
	}
	node, err := a.store.NodeByToken(ctx.Context(), token)
	if err != nil {
		refuse(ctx, err)
		return
	}
	if id := ctx.Param("id"); id != string(node.ID) {
		refuse(ctx, cluster.Forbidden("node %s may not speak for node %.40q", node.ID, id))
		return
	}
	next(huma.WithValue(ctx, nodeKey, node))
}

// unauthorized asks for a credential, or for a better one.
func unauthorized(text string) error {
	status := http.StatusUnauthorized
	return &problem{Problem: wire.Problem{Title: http.StatusText(status), Status: status, Detail: text, Code: string(codeOf(status))}}
}

func refuse(ctx huma.Context, err error) {
	if errors.Is(err, store.ErrBadToken) || errors.Is(err, store.ErrSessionEnded) {
		err = unauthorized(err.Error())
	}
	problemOf(err).write(ctx)
}
