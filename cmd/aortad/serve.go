package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-chi/chi/v5"

	"aorta/internal/config"
	"aorta/internal/gitrepo"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/router/stats"
	"aorta/web"
	"aorta/web/api"
	"aorta/web/dashboard"
	"aorta/web/git"
	"aorta/web/wire"
)

// routerSilence is how long a publish waits for a router that says nothing.
const routerSilence = 5 * time.Second

// serve opens the API, the push endpoint and the nodes' API.
func (c *controller) serve() error {
	d := c.d
	listen, err := d.places.at("listen", d.cfg.Listen, "127.0.0.1")
	if err != nil {
		return err
	}
	scheme := "http"
	if d.cfg.TLSCert != "" {
		scheme = "https"
	}
	if c.url, err = listenURL(listen, scheme); err != nil {
		return err
	}
	public := d.cfg.PublicURL
	if public == "" {
		public = c.url
	}
	cfg := api.Config{
		Pacemaker: c.pace, Stats: appStats{c.stats}, Logs: c.logs, Welcome: c.welcome,
		PublicURL: public, Version: version, Log: d.log, Numbers: newAppNumbers(c.stats),
	}
	cfg.Live = api.NewHub(cfg)
	d.loop("live streams", cfg.Live.Run)
	push, err := c.pushEndpoint()
	if err != nil {
		return err
	}
	router := chi.NewRouter()
	web.MountHealth(router, d.ready)
	router.Handle("/git/*", push)
	api.Mount(router, cfg)
	router.NotFound(dashboard.Handler().ServeHTTP) // pages are wherever nothing else is
	if err := d.serve("API", web.Options{Address: listen, Handler: router, Cert: d.cfg.TLSCert, Key: d.cfg.TLSKey, Log: d.log}); err != nil {
		return err
	}
	return c.serveNodes(cfg)
}

// serveNodes opens the nodes' API on a listener of its own, which containers
// have no business with.
func (c *controller) serveNodes(cfg api.Config) error {
	listen, err := c.d.places.at("node_listen", c.d.cfg.NodeListen, "127.0.0.1")
	if err != nil {
		return err
	}
	if c.nodeURL, err = listenURL(listen, "http"); err != nil {
		return err
	}
	router := chi.NewRouter()
	api.MountNodes(router, cfg)
	return c.d.serve("nodes' API", web.Options{Address: listen, Handler: router, Log: c.d.log})
}

func (d *daemon) serve(name string, o web.Options) error {
	server, err := web.Listen(o)
	if err != nil {
		return err
	}
	d.loop(name, server.Run)
	return nil
}

// serveHealth is the only listener of a process without the pacemaker role.
func (d *daemon) serveHealth(context.Context) error {
	given := d.cfg.Listen
	if given == config.DefaultListen {
		given = "" // the pacemaker's; this process takes a port of its own
	}
	listen, err := d.places.at("listen", given, "127.0.0.1")
	if err != nil {
		return err
	}
	router := chi.NewRouter()
	web.MountHealth(router, d.ready)
	return d.serve("health", web.Options{Address: listen, Handler: router, Log: d.log})
}

func (c *controller) pushEndpoint() (http.Handler, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	endpoint, err := git.New(pushBackend{c}, git.Config{
		HookSocket: filepath.Join(c.d.cfg.RunDir, "hook.sock"), HookBinary: self, HooksDir: c.d.path("hooks"),
	}, c.d.log)
	if err != nil {
		return nil, err
	}
	c.d.loop("push hooks", endpoint.Run)
	return endpoint, nil
}

// pushBackend lets the push endpoint ask the pacemaker.
type pushBackend struct{ c *controller }

func (b pushBackend) Authenticate(ctx context.Context, _, password string) (string, error) {
	user, err := b.c.store.UserByToken(ctx, password)
	return user.Name, err
}

func (b pushBackend) Repo(ctx context.Context, _, name string, _ bool) (cluster.ID, gitrepo.Repo, error) {
	app, err := b.c.store.App(ctx, name)
	if err != nil {
		return "", gitrepo.Repo{}, err
	}
	repo, err := b.c.pace.Repo(ctx, app)
	return app.ID, repo, err
}

func (b pushBackend) Push(ctx context.Context, p git.Push, out io.Writer) error {
	app, err := b.c.store.AppByID(ctx, p.App)
	if err != nil {
		return err
	}
	return b.c.pace.Push(ctx, pacemaker.Push{App: app, Ref: p.Ref, Old: p.Old, New: p.New, Forced: p.Forced, User: p.Who}, out)
}

// appStats answers for an app's numbers from the stats Redis.
type appStats struct{ s *stats.Store }

func (a appStats) App(ctx context.Context, app, release string, window time.Duration) (wire.Stats, error) {
	total, err := a.s.Totals(ctx, app)
	if release != "" {
		total, err = a.s.ReleaseTotals(ctx, app, release)
	}
	if err != nil {
		return wire.Stats{}, statsAway(err)
	}
	now := time.Now()
	recent, err := a.s.Window(ctx, stats.Query{App: app, Release: release, From: now.Add(-window), To: now.Add(time.Second)})
	if err != nil {
		return wire.Stats{}, statsAway(err)
	}
	w := wire.Stats{Requests: int64(total.Requests), Attempts: int64(total.Attempts), Bytes: int64(total.Bytes), Status: map[string]int64{}}
	for class, n := range map[string]int{"2xx": 2, "3xx": 3, "4xx": 4, "5xx": 5} {
		w.Status[class] = int64(total.Status[n])
	}
	for p, at := range map[float64]**float64{50: &w.P50, 95: &w.P95, 99: &w.P99} {
		if ms, ok := recent.Percentile(p); ok {
			*at = &ms
		}
	}
	return w, nil
}

// statsAway says that the numbers can't be read now; who keeps their Redis up
// logs why.
func statsAway(err error) error {
	return &cluster.Error{
		Code: cluster.CodeUnavailable, Err: err,
		Message: "the statistics do not answer; nothing is lost, the routers' logs are counted once they do: ask again in a moment",
	}
}
