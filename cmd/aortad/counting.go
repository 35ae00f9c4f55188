package main

import (
	"context"
	"slices"
	"strings"

	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/router/stats"
)

// countRouters takes what routers put into the statistics, and says which of them puts
// more there than a router does.
func (c *controller) countRouters(counted *stats.Store) {
	taker := stats.NewTaker(counted, stats.TakerConfig{
		Routers: c.counting, Names: countedNames{c.store}, Shut: c.m.shutOut, Log: c.d.log,
	})
	c.d.loop("statistics of routers", taker.Run)
	c.d.follow(watch.Probe{
		Kind: cluster.PartRedis, Name: "routers' statistics", Roles: []cluster.Role{cluster.RolePacemaker},
		Silent: "The database does not say which routers there are.",
		Use: func(ctx context.Context) error {
			return c.shutOut(ctx, taker.Shut())
		},
	})
}

// counting are the ids of the routers.
func (c *controller) counting(ctx context.Context) ([]string, error) {
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, n := range routersOf(nodes) {
		ids = append(ids, string(n.ID))
	}
	return ids, nil
}

// shutOut names them.
func (c *controller) shutOut(ctx context.Context, routers []string) error {
	if len(routers) == 0 {
		return nil
	}
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, n := range nodes {
		if slices.Contains(routers, string(n.ID)) {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 {
		return nil // they are removed
	}
	return watch.Minor(cluster.Unavailable("The router on %s wrote into the statistics Redis what no router does, or more. That is deleted, and it is shut out from there for ten minutes: find out who has that machine, or remove the node.", strings.Join(names, " and that on ")))
}

// countedNames is stats.Names of the store.
type countedNames struct{ *store.Store }

// Apps is part of stats.Names.
func (n countedNames) Apps(ctx context.Context) ([]string, error) { return n.CountedApps(ctx) }

// Of is part of stats.Names.
func (n countedNames) Of(ctx context.Context, app string) ([]string, error) {
	return n.CountedNames(ctx, cluster.ID(app))
}
