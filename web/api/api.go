package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/pacemaker/store"
	"aorta/web/live"
	"aorta/web/wire"
)

// Stats answers for an app's numbers.
type Stats interface {
	// App gives totals since the app was made (or of one release, by id), and
	// percentiles of the window that ends now.
	App(ctx context.Context, app, release string, window time.Duration) (wire.Stats, error)
}

// Logs keeps the apps' output.
type Logs interface {
	Append(ctx context.Context, lines []cluster.LogLine) error
	Query(ctx context.Context, app cluster.ID, q logstore.Query) ([]cluster.LogLine, error)
	Follow(ctx context.Context, app cluster.ID, q logstore.Query, from uint64) (<-chan logstore.Entry, error)
}

// Config is what the API works with.
type Config struct {
	Pacemaker *pacemaker.Pacemaker
	Stats     Stats
	Numbers   Numbers   // rates and series
	Live      *live.Hub // made by NewHub
	Logs      Logs
	Welcome   func(node cluster.Node) (cluster.Welcome, error) // what a node is told of the rest
	PublicURL string                                           // base of the git addresses
	Version   string
	Log       *slog.Logger
}

// API serves /api/v1 for people, and its nodes' part apart from it.
type API struct {
	Config
	pace      *pacemaker.Pacemaker
	store     *store.Store
	doors     *doors
	attempts  *attempts
	sightings *sightings
}

// prefix is where every operation lies.
const prefix = "/api/v1"

// Mount puts the API for people on a router, with its OpenAPI document at
// /api/openapi.json and its page at /api/docs.
func Mount(r chi.Router, cfg Config) huma.API {
	a := &API{
		Config: cfg, pace: cfg.Pacemaker, store: cfg.Pacemaker.Store(),
		doors: newDoors(cfg.PublicURL), attempts: newAttempts(time.Now), sightings: newSightings(),
	}
	h := newHuma(r, "Aorta", cfg.Version)
	h.UseMiddleware(a.authenticate, authorize, a.once())
	a.sessionRoutes(h)
	a.appRoutes(h)
	a.deployRoutes(h)
	a.configRoutes(h)
	a.processRoutes(h)
	a.releaseRoutes(h)
	a.domainRoutes(h)
	a.logRoutes(h)
	a.statsRoutes(h)
	a.jobRoutes(h)
	a.nodeRoutes(h)
	a.statusRoutes(h)
	a.liveRoutes(h)
	a.seriesRoutes(h)
	mountDocs(r, h)
	return h
}

// MountNodes puts the API for nodes on a router: a listener of its own, which
// containers can't reach.
func MountNodes(r chi.Router, cfg Config) huma.API {
	a := &API{Config: cfg, pace: cfg.Pacemaker, store: cfg.Pacemaker.Store()}
	h := newHuma(r, "Aorta, for nodes", cfg.Version)
	h.UseMiddleware(a.authenticateNode)
	a.nodeAPIRoutes(h)
	return h
}

func newHuma(r chi.Router, title, version string) huma.API {
	config := huma.DefaultConfig(title, version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", "" // served by ourselves
	config.CreateHooks = nil                                             // no $schema links in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	return humachi.New(r.With(lingering), config)
}

// policy is the least role that may do an operation. Every operation names
// one; a test walks the document and fails for one that does not.
type policy string

const (
	viewers    policy = "viewer"
	developers policy = "developer"
	admins     policy = "admin"
	nodesOnly  policy = "node"
	self       policy = "self"   // every role, on what is one's own
	anyone     policy = "anyone" // who has yet to show a credential
)

const policyKey = "policy"

// route describes one operation.
type route struct {
	method, path, summary string
	policy                policy
	status                int // of success; 0: the default
	stream                bool
}

// register adds an operation and turns its errors into problem documents.
func register[I, O any](h huma.API, a *API, rt route, handle func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: operationID(rt), Method: rt.method, Path: prefix + rt.path, Summary: rt.summary,
		DefaultStatus: rt.status, Metadata: map[string]any{policyKey: rt.policy},
		MaxBodyBytes: 4 << 20, RejectUnknownQueryParameters: true, BodyReadTimeout: 30 * time.Second,
	}
	if rt.stream {
		op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	}
	if rt.policy == anyone { // a stranger costs as little as possible
		op.MaxBodyBytes, op.BodyReadTimeout, op.Security = 16<<10, 10*time.Second, []map[string][]string{}
	}
	if rt.method != get && !rt.stream && rt.policy != nodesOnly && rt.policy != anyone {
		op.Metadata[keyedKey] = true
		op.Parameters = []*huma.Param{keyParameter()}
	}
	where := places{}
	huma.Register(h, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, rt, where, err)
		}
		return out, nil
	})
	for documented := range operations(h.OpenAPI()) {
		if documented.OperationID != op.OperationID {
			continue
		}
		for _, param := range documented.Parameters {
			where[param.Name] = param.In
		}
	}
}

// problem maps an error to its problem document. What has no code is ours: it
// is logged in full and told in general.
func (a *API) problem(ctx context.Context, rt route, where places, err error) error {
	p := problemOf(err)
	if p.Code == string(cluster.CodeInternal) && !errors.Is(err, context.Canceled) {
		a.Log.ErrorContext(ctx, "request failed", "method", rt.method, "path", rt.path, "err", err)
	}
	p.locate(where)
	return p
}

// reply wraps a body, as the framework wants it.
type reply[T any] struct{ Body T }

func ok[T any](v T, err error) (*reply[T], error) {
	if err != nil {
		return nil, err
	}
	return &reply[T]{Body: v}, nil
}

// none is an answer without a body.
type none struct{}

// accepted answers for work that has begun.
func accepted(op cluster.Operation, err error) (*reply[wire.Accepted], error) {
	return ok(wire.Accepted{Job: string(op.ID)}, err)
}

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete
)
