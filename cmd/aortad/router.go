package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"aorta/router/agent"
)

// Addresses for listeners of which no more is said.
const (
	loopback = "127.0.0.1"
	anyIP    = "0.0.0.0"
)

// nginxDaemon is the name of the router's nginx among the managed daemons.
const nginxDaemon = "nginx"

func (n *node) openRouter(ctx context.Context) (string, error) {
	if n.welcome.Routes.Addr == "" {
		return "", errNoRouter
	}
	d := n.d
	listen, err := d.addrs.resolve(listener{name: "router", option: "router_listen", given: d.cfg.RouterListen, ip: anyIP, daemon: nginxDaemon})
	if err != nil {
		return "", err
	}
	status, err := d.addrs.resolve(listener{
		name: "router_status", option: "router_status_listen", given: d.cfg.RouterStatusListen, ip: loopback, daemon: nginxDaemon,
	})
	if err != nil {
		return "", err
	}
	trusted, err := d.cfg.TrustedProxies()
	if err != nil {
		return "", err
	}
	router, err := agent.Open(ctx, agent.Config{
		RouterID: n.id, Cluster: n.welcome.Cluster, Routes: n.welcome.Routes, Reached: n.reached, Identity: n.who.keys.Files(), Stats: n.welcome.Stats, Networks: n.welcome.Networks,
		Listen: listen, StatusListen: status, TrustedProxies: trusted, LogBuffered: d.cfg.AccessLogBuffered,
		Workers: d.cfg.RouterWorkers, NginxPath: d.cfg.Nginx,
		DataDir: d.cfg.DataDir, RunDir: d.cfg.RunDir, StateDir: d.path("state"),
		Password: d.secrets.password, Pacemaker: n.client, Log: d.log,
	})
	if err != nil {
		return "", err
	}
	d.onClose(router.Close)
	if err := n.client.takes(listen); err != nil {
		return "", err
	}
	countAccessLog(router)
	prometheus.MustRegister(routerMetrics{router})
	d.follow(router.Probes()...)
	d.loop("router", router.Run)
	return "HTTP on " + listen, nil
}
