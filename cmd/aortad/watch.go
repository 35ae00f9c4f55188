package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aorta/heart/docker"
	"aorta/heart/tags"
	"aorta/internal/disk"
	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

// follow has parts of this node used again and again from now on: what is found is
// told by the node's reports, its readiness and its metrics.
func (d *daemon) follow(probes ...watch.Probe) {
	for _, p := range probes {
		d.loop("watch of the "+p.Name, d.watch.Add(p))
	}
}

// diskLimit is how long a byte may take to be on the disk: one that is busy with
// much else does not hang.
const diskLimit = 6 * time.Second

// watchDisk begins the watch with what all roles need.
func (d *daemon) watchDisk() {
	for _, role := range d.cfg.Roles {
		d.ready.Check(role, func() error { return d.watch.Trouble(cluster.Role(role)) })
	}
	prometheus.MustRegister(partMetrics{d.watch})
	ballast := disk.Ballast{What: "the data directory", Dir: d.cfg.DataDir, Path: d.path("ballast"), Written: d.path("written"), Log: d.log}
	d.loop("pulse", d.watch.Pulse)
	d.follow(d.watch.Self(), watch.Probe{
		Limit: diskLimit, Kind: cluster.PartDisk, Name: "data disk", Silent: "The disk of the data directory " + d.cfg.DataDir + " hangs: look at the kernel's log (dmesg).",
		Use: func(context.Context) error { return ballast.Check() },
	})
}

// findTags looks for the node's tags from now on.
func (d *daemon) findTags() *tags.Finder {
	cfg := tags.Config{Configured: d.cfg.TagsOf(), Program: d.cfg.TagsProgram, Log: d.log}
	if d.cfg.CloudTags {
		cfg.Cloud = &tags.Cloud{}
	}
	f := tags.New(cfg)
	d.loop("tags of the cloud", f.AskCloud)
	if cfg.Program != "" {
		d.loop("tags of the program", f.RunProgram)
		d.follow(watch.Probe{Kind: cluster.PartTags, Name: "program of tags", Use: func(context.Context) error {
			if err := f.Fault(); err != nil {
				return watch.Minor(err)
			}
			return nil
		}})
	}
	return f
}

// watchMasters follows the pacemaker's servers.
func (c *controller) watchMasters() {
	role := cluster.RolePacemaker
	c.d.follow(
		watch.Probe{
			Kind: cluster.PartSQL, Name: "database", Roles: []cluster.Role{role}, Use: c.store.Ping,
			Silent: "The database does not answer: changes can't be made, apps go on serving. Check the pacemaker's log and its disk.",
		},
		c.m.routes.Probe(role), c.m.stats.Probe(role), c.jobsProbe(),
	)
	c.watchRegistry()
}

func (c *controller) jobsProbe() watch.Probe {
	if c.m.jobs != nil {
		return c.m.jobs.Probe(cluster.RolePacemaker)
	}
	return watch.Probe{
		Kind: cluster.PartRedis, Name: "jobs Redis", Roles: []cluster.Role{cluster.RolePacemaker},
		Silent: "The jobs Redis does not answer.", // never: its problem is for people
		Use: func(context.Context) error {
			if problem := c.jobs.Problem(); problem != nil {
				return cluster.Unavailable("%v", problem)
			}
			return nil
		},
	}
}

// watchEngine follows the node's engine and the disk that it fills.
func (n *node) watchEngine(engine *docker.Engine) {
	users := []cluster.Role{cluster.RoleHeart, cluster.RoleBuilder}
	n.d.follow(engine.Probe(users...), watch.Probe{
		Kind: cluster.PartDisk, Name: "engine's disk", Roles: users, Use: engineDisk(engine, n.d.cfg.DataDir),
		Silent: "The disk of the Docker engine hangs: look at the kernel's log (dmesg).",
	})
}

// engineDisk looks at the engine's disk, if that is on this machine and another
// one than the data directory's.
func engineDisk(engine *docker.Engine, own string) func(context.Context) error {
	root := ""
	return func(ctx context.Context) error {
		if root == "" {
			info, err := engine.Info(ctx)
			if err != nil {
				return nil // the engine's own probe tells of that
			}
			root = info.RootDir
		}
		if !exists(root) || disk.Same(root, own) {
			return nil
		}
		return disk.Check("the Docker engine's directory", root)
	}
}

var (
	metricPartUp    = prometheus.NewDesc("aorta_part_up", "1 while requests, deploys and numbers get what they need of this part of the node, else 0.", []string{"part"}, nil)
	metricPartFault = prometheus.NewDesc("aorta_part_fault_seconds", "For how long the part has had a fault, also a minor one; 0 without one.", []string{"part"}, nil)
)

// partMetrics shows the parts of this node.
type partMetrics struct{ *watch.Watch }

// Describe is part of prometheus.Collector.
func (m partMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect is part of prometheus.Collector.
func (m partMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, p := range m.Parts() {
		up := 1.0
		if p.Fault != "" && !p.Minor {
			up = 0
		}
		ch <- prometheus.MustNewConstMetric(metricPartUp, prometheus.GaugeValue, up, p.Name)
		ch <- prometheus.MustNewConstMetric(metricPartFault, prometheus.GaugeValue, p.Ago.Seconds(), p.Name)
	}
}
