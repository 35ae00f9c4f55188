package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aorta/pacemaker"
	"aorta/router/accesslog"
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
	metricReady      = prometheus.NewDesc("aorta_nodes_ready", "Nodes that are heard.", nil, nil)
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
	s, err := m.pace.Status(ctx)
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

// countTailer shows how far the statistics are behind the access log.
func countTailer(t *accesslog.Tailer) {
	prometheus.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "aorta_accesslog_lag_bytes", Help: "Bytes of the access log that are not counted yet."}, func() float64 {
			bytes, _ := t.Lag()
			return float64(bytes)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "aorta_accesslog_lag_seconds", Help: "Age of the oldest line that is not counted yet."}, func() float64 {
			_, age := t.Lag()
			return age.Seconds()
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "aorta_accesslog_rejected_total", Help: "Lines of the access log that could not be read."}, func() float64 {
			return float64(t.Rejected())
		}),
	)
}
