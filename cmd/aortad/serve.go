package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-chi/chi/v5"

	"aorta/internal/listeners"
	"aorta/pacemaker/cluster"
	"aorta/router/stats"
	"aorta/web"
	"aorta/web/api"
	"aorta/web/dashboard"
	"aorta/web/git"
	"aorta/web/live"
	"aorta/web/nodeapi"
	"aorta/web/push"
	"aorta/web/wire"
)

// routerSilence is how long a publish waits for a router that says nothing.
const routerSilence = 5 * time.Second

// serve opens the API, the push endpoint and the nodes' API.
func (c *controller) serve() error {
	d := c.d
	listen, err := d.addrs.resolve(listener{name: "listen", option: "listen", given: d.cfg.Listen, ip: loopback})
	if err != nil {
		return err
	}
	scheme := "http"
	if d.cfg.TLSCert != "" {
		scheme = "https"
	}
	if c.url, err = listeners.URL(listen, scheme); err != nil {
		return err
	}
	public := d.cfg.PublicURL
	if public == "" {
		public = c.url
	}
	streams := live.New(live.Config{Pacemaker: c.pace, Recents: c.numbers, Logs: c.logs, PublicURL: public, Version: version, Log: d.log})
	d.loop("live streams", streams.Run)
	push, err := c.pushEndpoint()
	if err != nil {
		return err
	}
	router := chi.NewRouter()
	web.MountHealth(router, d.ready)
	router.Handle("/git/*", push)
	api.Mount(router, api.Config{
		Pacemaker: c.pace, Stats: appStats{c.numbers.s}, Series: c.numbers, Live: streams, Logs: c.logs,
		PublicURL: public, Version: version, Log: d.log,
	})
	router.NotFound(dashboard.Handler().ServeHTTP) // pages are wherever nothing else is
	if err := d.serve("API", web.Options{Address: listen, Handler: router, Cert: d.cfg.TLSCert, Key: d.cfg.TLSKey, Log: d.log}); err != nil {
		return err
	}
	return c.serveNodes()
}

// serveNodes opens the nodes' API on a listener of its own. It shows the certificate
// of the cluster's authority, and asks for that of a node; who has none may ask to join.
func (c *controller) serveNodes() error {
	listen, err := c.d.addrs.resolve(listener{name: "node_listen", option: "node_listen", given: c.d.cfg.NodeListen, ip: loopback})
	if err != nil {
		return err
	}
	if c.nodeURL, err = listeners.URL(listen, "https"); err != nil {
		return err
	}
	cert, err := c.authority.Server()
	if err != nil {
		return err
	}
	router := chi.NewRouter()
	nodeapi.Mount(router, nodeapi.Config{Pacemaker: c.pace, Registry: c.images.For, Logs: c.logs, Authority: c.authority, Welcome: c.welcome, Version: version, Log: c.d.log})
	o := web.Options{Address: listen, Handler: router, Log: c.d.log, TLS: &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequestClientCert, // checked for each request, see nodeapi
	}}
	c.openSecond(listen, o)
	return c.d.serve("nodes' API", o)
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
	listen, err := d.addrs.resolve(listener{name: "listen", option: "listen", given: d.cfg.Listen, ip: loopback})
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
	endpoint, err := git.New(push.New(c.pace), git.Config{
		HookSocket: filepath.Join(c.d.cfg.RunDir, "hook.sock"), HookBinary: self, HooksDir: c.d.path("hooks"),
	}, c.d.log)
	if err != nil {
		return nil, err
	}
	c.d.loop("push hooks", endpoint.Run)
	return endpoint, nil
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
	w := wire.Stats{Requests: int64(total.Requests), Attempts: int64(total.Attempts), Bytes: int64(total.Bytes), Status: classes(total), Window: windowOf(recent, window)}
	for p, at := range map[float64]**float64{50: &w.P50, 95: &w.P95, 99: &w.P99} {
		if ms, ok := recent.Percentile(p); ok {
			*at = &ms
		}
	}
	return w, nil
}

func windowOf(c stats.Counters, length time.Duration) wire.StatsWindow {
	w := wire.StatsWindow{
		Seconds: length.Seconds(), Requests: int64(c.Requests), Attempts: int64(c.Attempts), Bytes: int64(c.Bytes), Status: classes(c),
	}
	if c.Requests > 0 {
		w.ErrorRate = new(float64(c.Status[5]) / float64(c.Requests))
	}
	return w
}

// classes are the requests by the class of their status.
func classes(c stats.Counters) map[string]int64 {
	by := map[string]int64{}
	for class, n := range map[string]int{"2xx": 2, "3xx": 3, "4xx": 4, "5xx": 5} {
		by[class] = int64(c.Status[n])
	}
	return by
}

// statsAway says that the numbers can't be read now; who keeps their Redis up
// logs why.
func statsAway(err error) error {
	return &cluster.Error{
		Code: cluster.CodeUnavailable, Err: err,
		Message: "the statistics do not answer; nothing is lost, since requests are counted from the routers' logs afterwards: try again in a moment",
	}
}
