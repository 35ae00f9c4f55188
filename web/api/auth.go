package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

type contextKey int

const (
	userKey contextKey = iota
	nodeKey
)

// userOf is who asks; authenticate has put them there.
func userOf(ctx context.Context) store.User {
	u, _ := ctx.Value(userKey).(store.User)
	return u
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

func (a *API) authenticate(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		token := bearer(ctx)
		if token == "" {
			unauthorized(h, ctx, "a token is needed (log in: aorta login URL --token -)")
			return
		}
		user, err := a.store.UserByToken(ctx.Context(), token)
		if err != nil {
			refuse(h, ctx, err)
			return
		}
		next(huma.WithValue(ctx, userKey, user))
	}
}

// rank orders the roles; a higher one may do all that a lower one may.
var rank = map[string]int{string(viewers): 1, string(developers): 2, string(admins): 3}

func (a *API) authorize(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		need, _ := ctx.Operation().Metadata[policyKey].(policy)
		user := userOf(ctx.Context())
		if rank[string(need)] == 0 || rank[user.Role] < rank[string(need)] {
			refuse(h, ctx, cluster.Forbidden("%s %s needs the role %s; %s has %q", ctx.Method(), ctx.Operation().Path, need, user.Name, user.Role))
			return
		}
		next(ctx)
	}
}

// authenticateNode lets a node in to its own part alone: the id in the path
// must be the token's.
func (a *API) authenticateNode(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		token := bearer(ctx)
		if token == "" {
			unauthorized(h, ctx, "a node token is needed")
			return
		}
		node, err := a.store.NodeByToken(ctx.Context(), token)
		if err != nil {
			refuse(h, ctx, err)
			return
		}
		if id := ctx.Param("id"); id != string(node.ID) {
			refuse(h, ctx, cluster.Forbidden("node %s may not speak for node %.40q", node.ID, id))
			return
		}
		next(huma.WithValue(ctx, nodeKey, node))
	}
}

func unauthorized(h huma.API, ctx huma.Context, text string) {
	ctx.SetHeader("WWW-Authenticate", "Bearer")
	_ = huma.WriteErr(h, ctx, http.StatusUnauthorized, text)
}

func refuse(h huma.API, ctx huma.Context, err error) {
	p := problemOf(err)
	if p.Status == http.StatusForbidden && errors.Is(err, store.ErrBadToken) {
		unauthorized(h, ctx, p.Detail)
		return
	}
	p.write(ctx)
}
