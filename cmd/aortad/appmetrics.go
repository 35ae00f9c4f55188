package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/router/stats"
)

// measuredApps bounds the series: of so many apps, the first by name, there are
// any. How many were left out is a metric of its own.
const measuredApps = 200

// latencyBounds are those of the histogram, in seconds.
var latencyBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

var (
	metricRequests = prometheus.NewDesc("aorta_app_requests_total", "Requests that the routers answered for the app, by class of the status.", []string{"app", "class"}, nil)
	metricDuration = prometheus.NewDesc("aorta_app_request_duration_seconds", "Time that the app's requests took at the routers.", []string{"app"}, nil)
	metricState    = prometheus.NewDesc("aorta_app_state", "1 for the state that the app is in: serving, running (without a web process, or with none wanted), deploying, stopped, failed or empty.", []string{"app", "state"}, nil)
	metricRunning  = prometheus.NewDesc("aorta_app_instances_running", "Instances of the app that run.", []string{"app"}, nil)
	metricWanted   = prometheus.NewDesc("aorta_app_instances_wanted", "Instances of the app that should run.", []string{"app"}, nil)
	metricCrashing = prometheus.NewDesc("aorta_app_instances_crashing", "Instances of the app that crash, or have not run for five minutes since.", []string{"app"}, nil)
	metricLeftOut  = prometheus.NewDesc("aorta_apps_left_out", "Apps that have no series of their own: there are too many.", nil, nil)
	metricQueue    = prometheus.NewDesc("aorta_queue_length", "Operations that have not ended, by kind.", []string{"kind"}, nil)
	metricNeedy    = prometheus.NewDesc("aorta_jobs_need_attention", "Failed jobs that nobody has retried, discarded or followed by a success.", nil, nil)
	metricNodeUp   = prometheus.NewDesc("aorta_node_up", "1 while the node is heard, else 0.", []string{"node"}, nil)
	metricLinkAge  = prometheus.NewDesc("aorta_router_replica_age_seconds", "For how long the node's router has heard nothing of the routing table, whether or not it changed; a few seconds while it follows.", []string{"node"}, nil)
	metricTableAge = prometheus.NewDesc("aorta_router_table_age_seconds", "For how long the node's router has not answered by a routing table that was published; 0 while it keeps up.", []string{"node"}, nil)
	metricBuild    = promauto.NewGaugeVec(prometheus.GaugeOpts{Name: "aorta_build_info", Help: "1, with the daemon's version."}, []string{"version", "goversion"})
)

// countEnded counts operations by how they end: deploys by result among them.
func countEnded() func(cluster.Operation) {
	metricBuild.WithLabelValues(version, runtime.Version()).Set(1)
	ended := promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "aorta_operations_ended_total", Help: "Operations that have ended since the daemon started, by kind (deploy, scale, …) and result.",
	}, []string{"kind", "result"})
	for _, result := range []cluster.OperationState{cluster.OperationSucceeded, cluster.OperationFailed, cluster.OperationAborted} {
		ended.WithLabelValues(string(cluster.OpDeploy), string(result)) // from 0, so that the first one is a rise
	}
	return func(op cluster.Operation) { ended.WithLabelValues(string(op.Kind), string(op.State)).Inc() }
}

// appMetrics shows apps, nodes and queues as the pacemaker sees them, read at each
// scrape.
type appMetrics struct {
	ctx   context.Context
	pace  *pacemaker.Pacemaker
	stats *stats.Store
}

// Describe is part of prometheus.Collector.
func (m appMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		metricRequests, metricDuration, metricState, metricRunning, metricWanted, metricCrashing,
		metricLeftOut, metricQueue, metricNeedy, metricNodeUp, metricTableAge, metricLinkAge,
	} {
		ch <- d
	}
}

// Collect is part of prometheus.Collector. What does not answer leaves its metrics
// out rather than wrong.
func (m appMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(m.ctx, metricsTimeout)
	defer cancel()
	g, err := m.pace.Overview.Snapshot(ctx)
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	apps := g.Apps[:min(len(g.Apps), measuredApps)]
	gauge(metricLeftOut, float64(len(g.Apps)-len(apps)))
	gauge(metricNeedy, float64(len(g.Attention)))
	for _, a := range apps {
		gauge(metricState, 1, a.Name, string(a.State))
		gauge(metricRunning, float64(a.Running), a.Name)
		gauge(metricWanted, float64(a.Wanted), a.Name)
		gauge(metricCrashing, float64(len(a.Crashing)), a.Name)
	}
	queues := map[cluster.OperationKind]float64{cluster.OpDeploy: 0}
	for _, op := range g.Open {
		queues[op.Kind]++
	}
	for kind, n := range queues {
		gauge(metricQueue, n, string(kind))
	}
	for _, n := range g.Nodes {
		gauge(metricNodeUp, oneIf(!n.Unheard), n.Name)
		if n.Has(cluster.RoleRouter) {
			gauge(metricTableAge, n.TableAge.Seconds(), n.Name)
		}
		if n.Has(cluster.RoleRouter) && !n.RouterSilent {
			gauge(metricLinkAge, n.Router.Age.Seconds(), n.Name)
		}
	}
	m.requests(ctx, apps, ch)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// requests shows what was counted of the apps, until the statistics fail.
func (m appMetrics) requests(ctx context.Context, apps []overview.App, ch chan<- prometheus.Metric) {
	for _, a := range apps {
		c, err := m.stats.Totals(ctx, string(a.ID))
		if err != nil {
			return
		}
		for class := 1; class < len(c.Status); class++ {
			ch <- prometheus.MustNewConstMetric(metricRequests, prometheus.CounterValue, float64(c.Status[class]), a.Name, fmt.Sprintf("%dxx", class))
		}
		count, ms := c.Latency.Sum()
		buckets := make(map[float64]uint64, len(latencyBounds))
		for _, bound := range latencyBounds {
			buckets[bound] = c.Latency.Within(uint32(bound * 1000))
		}
		ch <- prometheus.MustNewConstHistogram(metricDuration, count, ms/1000, buckets, a.Name)
	}
}
