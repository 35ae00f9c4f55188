package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aorta/pacemaker"
	"aorta/router/agent"
)

// metricsTimeout bounds how long a scrape waits for the database.
const metricsTimeout = 2 * time.Second

// clusterMetrics shows the cluster as the pacemaker knows it, read at each
// scrape.
type clusterMetrics struct {
	ctx  context.Context
	pace *pacemaker.Pacemaker
}

var (
	metricNodes      = prometheus.NewDesc("aorta_nodes", "Nodes that the cluster knows.", nil, nil)
	metricReady      = prometheus.NewDesc("aorta_nodes_ready", "Nodes that are ready: heard, not held and not being emptied.", nil, nil)
	metricApps       = prometheus.NewDesc("aorta_apps", "Apps.", nil, nil)
	metricInstances  = prometheus.NewDesc("aorta_instances_running", "Instances that run.", nil, nil)
	metricOpen       = prometheus.NewDesc("aorta_operations_open", "Operations that have not ended.", nil, nil)
	metricEpoch      = prometheus.NewDesc("aorta_epoch", "Epoch of this pacemaker.", nil, nil)
	metricGeneration = prometheus.NewDesc("aorta_routes_generation", "Generation of the published routing table.", nil, nil)
	metricReasons    = prometheus.NewDesc("aorta_attention", "Things that need attention; `aorta status` names them.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (m clusterMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect is part of prometheus.Collector.
func (m clusterMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(metricEpoch, float64(m.pace.Epoch()))
	ctx, cancel := context.WithTimeout(m.ctx, metricsTimeout)
	defer cancel()
	s, err := m.pace.Overview.Status(ctx)
	if err != nil {
		return // the database does not answer: those below are missing rather than wrong
	}
	gauge(metricNodes, float64(s.Nodes))
	gauge(metricReady, float64(s.NodesReady))
	gauge(metricApps, float64(s.Apps))
	gauge(metricInstances, float64(s.Instances))
	gauge(metricOpen, float64(len(s.Open)))
	gauge(metricGeneration, float64(s.Generation))
	gauge(metricReasons, float64(len(s.Reasons)))
}

// countAccessLog shows how far the statistics are behind the access log.
func countAccessLog(router *agent.Agent) {
	prometheus.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "aorta_accesslog_lag_bytes", Help: "Bytes of the access log that are not counted yet."}, func() float64 {
			bytes, _ := router.Lag()
			return float64(bytes)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "aorta_accesslog_lag_seconds", Help: "Age of the oldest line that is not counted yet."}, func() float64 {
			_, age := router.Lag()
			return age.Seconds()
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "aorta_accesslog_rejected_total", Help: "Lines of the access log that could not be read."}, func() float64 {
			return float64(router.Rejected())
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "aorta_accesslog_gap_timestamp_seconds", Help: "When nginx said last that the disk was too full for its access log: requests of up to a minute from then on are not all counted. 0 for never."}, func() float64 {
			if at := router.Unlogged(); !at.IsZero() {
				return float64(at.Unix())
			}
			return 0
		}),
	)
}

// routerMetrics shows how a router's workers are, as the last of its looks found
// them.
type routerMetrics struct{ router *agent.Agent }

var (
	metricConnections = prometheus.NewDesc("aorta_router_connections", "Connections that the router's workers can have.", nil, nil)
	metricFree        = prometheus.NewDesc("aorta_router_connections_free", "Connections that the router's workers have left.", nil, nil)
	metricLimited     = prometheus.NewDesc("aorta_router_limited_connections", "Connections of an app or a client that was refused more within the last minute.", []string{"kind", "name"}, nil)
	metricStuck       = prometheus.NewDesc("aorta_router_workers_stuck", "Workers that do not follow the routing table.", nil, nil)
	metricReplaced    = prometheus.NewDesc("aorta_router_workers_replaced_total", "Workers that did not follow the routing table and were replaced.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (m routerMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricConnections, metricFree, metricLimited, metricStuck, metricReplaced} {
		ch <- d
	}
}

// Collect is part of prometheus.Collector.
func (m routerMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	seen := m.router.Seen()
	gauge(metricConnections, seen.Connections)
	gauge(metricFree, seen.Free)
	gauge(metricStuck, len(seen.Stuck))
	for _, l := range seen.Limits {
		gauge(metricLimited, l.Held, l.Kind, l.Name)
	}
	ch <- prometheus.MustNewConstMetric(metricReplaced, prometheus.CounterValue, float64(m.router.Replaced()))
}
