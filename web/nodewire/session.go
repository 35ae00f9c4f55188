package nodewire

import "aorta/pacemaker/cluster"

// Hello opens a node's session.
type Hello struct {
	Session  string         `json:"session"`
	Hostname string         `json:"hostname"`
	Place    string         `json:"place,omitempty"`
	Pid      int            `json:"pid"`
	Roles    []cluster.Role `json:"roles"`
	Address  string         `json:"address"`
	Version  string         `json:"version"`
	Lease    cluster.Lease  `json:"lease,omitempty"`
	Copied   bool           `json:"copied,omitempty"`
}

// FromHello is the shape of h.
func FromHello(h cluster.Hello) Hello { return Hello(h) }

// Domain is the value that the shape carries.
func (h Hello) Domain() cluster.Hello { return cluster.Hello(h) }

// Welcome answers a Hello. It holds secrets.
type Welcome struct {
	Cluster  cluster.ID    `json:"cluster"`
	Epoch    uint64        `json:"epoch"`
	NodeID   cluster.ID    `json:"node_id"`
	NodeName string        `json:"node_name"`
	Jobs     RedisEndpoint `json:"jobs"`
	Routes   RedisEndpoint `json:"routes"`
	Stats    RedisEndpoint `json:"stats"`
	Networks []string      `json:"networks"`
	// Pacemakers are the addresses of the nodes' API.
	Pacemakers []string      `json:"pacemakers,omitempty"`
	Lease      cluster.Lease `json:"lease,omitempty"`
}

// FromWelcome is the shape of w.
func FromWelcome(w cluster.Welcome) Welcome {
	return Welcome{
		Cluster: w.Cluster, Epoch: w.Epoch, NodeID: w.NodeID, NodeName: w.NodeName, Networks: w.Networks, Pacemakers: w.Pacemakers, Lease: w.Lease,
		Jobs: RedisEndpoint(w.Jobs), Routes: RedisEndpoint(w.Routes), Stats: RedisEndpoint(w.Stats),
	}
}

// Domain is the value that the shape carries.
func (w Welcome) Domain() cluster.Welcome {
	return cluster.Welcome{
		Cluster: w.Cluster, Epoch: w.Epoch, NodeID: w.NodeID, NodeName: w.NodeName, Networks: w.Networks, Pacemakers: w.Pacemakers, Lease: w.Lease,
		Jobs: cluster.RedisEndpoint(w.Jobs), Routes: cluster.RedisEndpoint(w.Routes), Stats: cluster.RedisEndpoint(w.Stats),
	}
}

// RedisEndpoint is where a Redis is, with the node's own user there.
type RedisEndpoint struct {
	Network  string `json:"network"`
	Addr     string `json:"addr"`
	User     string `json:"user"`
	Password string `json:"password"`
	DB       int    `json:"db,omitempty"`
	Cluster  bool   `json:"cluster,omitempty"`
	TLS      bool   `json:"tls,omitempty"`
	CA       string `json:"ca,omitempty"`
	Name     string `json:"name,omitempty"`
}
