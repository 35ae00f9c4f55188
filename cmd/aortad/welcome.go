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
		Jobs: jobs, Pacemakers: c.pacemakers(),
	}
	if node.Has(cluster.RoleRouter) {
		w.Routes = c.m.endpoint(redisRoutes, replicaOf(node), d.secrets.ofNode(redisRoutes, replicaOf(node), node))
		w.Stats = c.m.endpoint(redisStats, tailerOf(node), d.secrets.ofNode(redisStats, tailerOf(node), node))
	}
	return w, c.admitted(node)
}
