package nodewire

import "aorta/pacemaker/cluster"

// Join asks for a node's identity. The token travels in the Authorization header.
type Join struct {
	Name     string         `json:"name" maxLength:"64"`
	Roles    []cluster.Role `json:"roles,omitempty" maxItems:"8"`
	Address  string         `json:"address,omitempty" maxLength:"64"`
	Hostname string         `json:"hostname" maxLength:"255"`
	Version  string         `json:"version" maxLength:"100"`
	Request  string         `json:"request" maxLength:"4096" doc:"a certificate request in PEM"`
	Replace  bool           `json:"replace,omitempty"`
}

// FromJoin is the shape of j.
func FromJoin(j cluster.Join) Join {
	return Join{Name: j.Name, Roles: j.Roles, Address: j.Address, Hostname: j.Hostname, Version: j.Version, Request: j.Request, Replace: j.Replace}
}

// Domain is the value that the shape carries.
func (j Join) Domain() cluster.Join {
	return cluster.Join{Name: j.Name, Roles: j.Roles, Address: j.Address, Hostname: j.Hostname, Version: j.Version, Request: j.Request, Replace: j.Replace}
}

// Joined is a node's new identity.
type Joined struct {
	Cluster     cluster.ID     `json:"cluster"`
	NodeID      cluster.ID     `json:"node_id"`
	NodeName    string         `json:"node_name"`
	Roles       []cluster.Role `json:"roles"`
	Certificate string         `json:"certificate"`
	Authority   string         `json:"authority"`
	Pacemakers  []string       `json:"pacemakers"`
}

// FromJoined is the shape of j.
func FromJoined(j cluster.Joined) Joined { return Joined(j) }

// Domain is the value that the shape carries.
func (j Joined) Domain() cluster.Joined { return cluster.Joined(j) }

// Renewal asks for the next certificate of a node's key, or holds it.
type Renewal struct {
	Request     string `json:"request,omitempty" maxLength:"4096" doc:"a certificate request in PEM"`
	Certificate string `json:"certificate,omitempty"`
}
