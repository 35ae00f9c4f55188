package main

import "aorta/pacemaker/cluster"

// welcome tells a node where the rest of the cluster is, with passwords that
// open only what its roles need. It is unavailable until it is known what the
// jobs Redis is.
func (c *controller) welcome(node cluster.Node) (cluster.Welcome, error) {
	d := c.d
	jobs, err := c.jobs.EndpointFor(d.ctx, node)
	if err != nil {
		return cluster.Welcome{}, err
	}
	w := cluster.Welcome{
		Cluster: c.cluster, Epoch: c.pace.Epoch(), NodeID: node.ID, NodeName: node.Name, Networks: cluster.PrivateNetworks(),
		Jobs: jobs,
	}
	if node.Has(cluster.RoleRouter) {
		w.Routes = c.m.endpoint(redisRoutes, userReplica, d.secrets.password(redisRoutes, userReplica))
		w.Stats = c.m.endpoint(redisStats, userTailer, d.secrets.password(redisStats, userTailer))
	}
	return w, nil
}
