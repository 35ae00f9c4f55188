package cluster

import "time"

// PartKind is what sort of thing a part is.
type PartKind string

// The kinds of parts.
const (
	PartRouter PartKind = "router" // what answers requests, and what it answers by
	PartRedis  PartKind = "redis"
	PartSQL    PartKind = "sql"
	PartEngine PartKind = "engine" // Docker's
	PartDisk   PartKind = "disk"
	PartDaemon PartKind = "daemon" // aortad itself
	// PartFirewall is what keeps containers from the platform's services.
	PartFirewall PartKind = "firewall"
	PartTags     PartKind = "tags" // what finds the node's tags
	PartRegistry PartKind = "registry"
)

// Part is something on a node that requests, deploys or numbers need, as the
// node's own daemon finds it by using it.
type Part struct {
	Kind PartKind
	Name string // for people, one alone on its node: "statistics Redis"
	// Fault is a sentence on what is wrong and what to do; empty: nothing.
	Fault string
	Minor bool // nothing fails by the fault yet, and somebody should look
	// Ago is how long before the report the part was in order last, 0 while it is;
	// one that never was counts from when it was first used.
	Ago time.Duration
}

// Short is the part with no more of its fault than is kept.
func (p Part) Short() Part {
	p.Fault = short(p.Fault)
	return p
}
