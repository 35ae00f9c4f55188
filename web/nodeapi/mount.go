package nodeapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/access"
	"aorta/web/rest"
)

// Logs keeps the apps' output.
type Logs interface {
	Append(ctx context.Context, parts []cluster.LogPart) (refused []cluster.LogPosition, err error)
}

// Config is what the nodes' API works with.
type Config struct {
	Pacemaker *pacemaker.Pacemaker
	Registry  http.Handler // answers whom the pacemaker lets in
	Logs      Logs
	Welcome   func(node cluster.Node) (cluster.Welcome, error) // what a node learns of the rest
	Version   string
	Log       *slog.Logger
}

// API serves /api/v1 for nodes.
type API struct {
	Config
	pace  *pacemaker.Pacemaker
	store *store.Store
}

// Mount puts the nodes' API on a router.
func Mount(r chi.Router, cfg Config) *rest.API {
	a := &API{Config: cfg, pace: cfg.Pacemaker, store: cfg.Pacemaker.Store()}
	h := rest.New(r, "Aorta, for nodes", cfg.Version, cfg.Log)
	h.UseMiddleware(a.authenticate)
	a.routes(h)
	r.Handle(cluster.RegistryPath+"*", http.HandlerFunc(a.registry))
	return h
}

// caller is the node that a request comes from, by its header Authorization.
func (a *API) caller(ctx context.Context, authorization string) (cluster.Node, error) {
	token := rest.BearerIn(authorization)
	if token == "" {
		return cluster.Node{}, rest.Unauthorized("a node token is needed")
	}
	return a.store.NodeByToken(ctx, token)
}

// authenticate lets a node in to its own part alone: the id in the path must be
// the token's.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	node, err := a.caller(ctx.Context(), ctx.Header("Authorization"))
	if err != nil {
		rest.Refuse(ctx, err)
		return
	}
	if id := ctx.Param("id"); id != string(node.ID) {
		rest.Refuse(ctx, cluster.Forbidden("node %s may not speak for node %.40q", node.ID, id))
		return
	}
	next(huma.WithContext(ctx, access.WithSubject(ctx.Context(), access.Subject{Kind: access.OnNode, Node: node}, nil)))
}
