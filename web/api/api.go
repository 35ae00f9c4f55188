package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-chi/chi/v5"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/pacemaker/store"
	"aorta/web/auth"
	"aorta/web/live"
	"aorta/web/rest"
	"aorta/web/view"
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
	view.Logs
	Query(ctx context.Context, app cluster.ID, q logstore.Query) ([]cluster.LogLine, error)
}

// Config is what the API works with.
type Config struct {
	Pacemaker *pacemaker.Pacemaker
	Stats     Stats
	Series    Series
	Live      *live.Streams
	Logs      Logs
	PublicURL string // base of the git addresses
	Version   string
	Log       *slog.Logger
}

// API serves /api/v1 for people.
type API struct {
	Config
	pace  *pacemaker.Pacemaker
	store *store.Store
	view  *view.Views
}

// Mount puts the API on a router, with its OpenAPI document at
// /api/openapi.json and its page at /api/docs.
func Mount(r chi.Router, cfg Config) *rest.API {
	a := &API{Config: cfg, pace: cfg.Pacemaker, store: cfg.Pacemaker.Store(), view: view.New(cfg.Pacemaker, cfg.Logs, cfg.PublicURL)}
	gate := auth.New(a.store, cfg.PublicURL, cfg.Log)
	h := rest.New(r, "Aorta", cfg.Version, cfg.Log)
	gate.Use(h)
	h.UseMiddleware(rest.Once(a.store, func(ctx context.Context) string { return auth.User(ctx).Name }, cfg.Log))
	gate.Routes(h)
	r.Get(auth.LoginPath+"/{code}", gate.Link)
	a.appRoutes(h)
	a.deployRoutes(h)
	a.configRoutes(h)
	a.buildSecretRoutes(h)
	a.processRoutes(h)
	a.releaseRoutes(h)
	a.buildRoutes(h)
	a.imageRoutes(h)
	a.domainRoutes(h)
	a.routeRoutes(h)
	a.grantRoutes(h)
	a.logRoutes(h)
	a.statsRoutes(h)
	a.jobRoutes(h)
	a.nodeRoutes(h)
	a.statusRoutes(h)
	a.seriesRoutes(h)
	cfg.Live.Routes(h)
	rest.MountDocs(r, h)
	return h
}
