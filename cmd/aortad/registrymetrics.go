package main

import "github.com/prometheus/client_golang/prometheus"

// registryMetrics shows what the cluster's registry takes, and what nodes have taken
// from it and sent to it.
type registryMetrics struct{ images imageRegistry }

var (
	metricImagesSent     = prometheus.NewDesc("aorta_registry_bytes_sent_total", "Bytes of images that the node has taken from the cluster's registry.", []string{"node"}, nil)
	metricImagesReceived = prometheus.NewDesc("aorta_registry_bytes_received_total", "Bytes of images that the node has sent to the cluster's registry.", []string{"node"}, nil)
	metricImagesDamaged  = prometheus.NewDesc("aorta_registry_damaged_total", "Files of the cluster's registry that were found damaged on the disk, and removed.", nil, nil)
	metricImagesSize     = prometheus.NewDesc("aorta_registry_size_bytes", "Bytes that the images in the cluster's registry take on the disk.", nil, nil)
)

// Describe is part of prometheus.Collector.
func (m registryMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricImagesSent, metricImagesReceived, metricImagesDamaged, metricImagesSize} {
		ch <- d
	}
}

// Collect is part of prometheus.Collector.
func (m registryMetrics) Collect(ch chan<- prometheus.Metric) {
	for node, moved := range m.images.Moved() {
		ch <- prometheus.MustNewConstMetric(metricImagesSent, prometheus.CounterValue, float64(moved.Sent), node)
		ch <- prometheus.MustNewConstMetric(metricImagesReceived, prometheus.CounterValue, float64(moved.Received), node)
	}
	ch <- prometheus.MustNewConstMetric(metricImagesDamaged, prometheus.CounterValue, float64(m.images.Damaged()))
	if size, err := m.images.Used(); err == nil {
		ch <- prometheus.MustNewConstMetric(metricImagesSize, prometheus.GaugeValue, float64(size))
	}
}
