package routing

import (
	"net"
	"strconv"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/router"
)

// buildTable makes the routing table from one snapshot of the state. A stopped
// app keeps its hosts and answers 503; one that has never had a release has no
// groups, and answers 404; one that is being destroyed has no hosts. No wildcard
// answers for the names that a domain of the cluster leaves free.
func buildTable(st store.RouteState) router.Table {
	groups := appGroups(st)
	table := make(router.Table, len(st.Domains))
	held := cluster.Held(st.Domains)
	for _, d := range st.Domains {
		app, ok := st.Apps[d.AppID]
		if !ok || app.Destroying || held[d.Host] {
			continue
		}
		table[d.Host] = router.Record{
			Host: d.Host, App: string(app.ID), AppName: app.Name,
			Groups: append([]router.Group{}, groups[app.ID]...), Maintenance: app.Stopped,
			Timeout: int(app.Requests.Timeout / time.Second), IdleTimeout: int(app.Requests.IdleTimeout / time.Second),
			MaxBody: app.Requests.MaxBody,
		}
	}
	return table
}

func appGroups(st store.RouteState) map[cluster.ID][]router.Group {
	byRelease := map[cluster.ID][]router.Instance{}
	for _, in := range st.Serving {
		node, ok := st.Nodes[in.NodeID]
		if !ok || in.PublishedAt(node.Address) == "" || in.Type != cluster.WebType {
			continue
		}
		byRelease[in.ReleaseID] = append(byRelease[in.ReleaseID], router.Instance{
			ID: string(in.ID), Type: in.Type, Node: string(node.ID), NodeName: node.Name,
			Addr: net.JoinHostPort(in.PublishedAt(node.Address), strconv.Itoa(in.Port)),
		})
	}
	groups := make(map[cluster.ID][]router.Group, len(st.Weights))
	for app, weights := range st.Weights {
		list := []router.Group{}
		for _, w := range weights {
			instances := byRelease[w.Release]
			if instances == nil {
				instances = []router.Instance{}
			}
			list = append(list, router.Group{
				Release: string(w.Release), ReleaseName: st.Labels[w.Release], Weight: w.Weight, Instances: instances,
			})
		}
		groups[app] = list
	}
	return groups
}

// instancesIn names every instance that the table sends requests to.
func instancesIn(table router.Table) map[cluster.ID]bool {
	set := map[cluster.ID]bool{}
	for _, r := range table {
		for _, g := range r.Groups {
			for _, in := range g.Instances {
				set[cluster.ID(in.ID)] = true
			}
		}
	}
	return set
}
