package cluster

import (
	"strings"
	"time"
)

// Report is what a heart sends about itself and all of its instances, every
// interval and at once on a change. A heart has one report in flight.
type Report struct {
	Session  string // of this run of the process; a second heart has another
	Counter  uint64 // rises with each report; older ones are dropped
	Epoch    uint64 // of the wanted set that the heart has applied
	Revision int
	Roles    []Role
	Address  string
	Load     Load
	Tags     map[string]string
	// TagSources says for each tag where the node has it from.
	TagSources map[string]TagSource
	Parts      []Part // all of the node's
	Places     Places
	// Neighbours is the digest of those that the node knows, empty for none.
	Neighbours string
	// Digest is over the full set of instances, see InstanceDigest. Instances
	// holds those that changed since the last report that was answered, or all
	// of them when Full is set.
	Digest    string
	Full      bool
	Instances []InstanceStatus
}

// InstanceStatus is what a heart says of one instance.
type InstanceStatus struct {
	ID        ID
	State     InstanceState
	Crashing  bool
	Restarts  int
	Error     string
	Port      int
	Address   string // where the port is published; empty: not known yet
	StartedAt *time.Time
	Memory    int64    // bytes in use, 0: not known; not part of the digest
	CPU       *float64 // cores in use lately, nil: not known; not part of the digest
	Gone      bool     // no container of it is left on the node
	// StopsAfter promises that it has ended once the node was silent for so long, see
	// Instance.
	StopsAfter time.Duration
}

// maxTold is how much of a text of a node is told and kept, in bytes.
const maxTold = 2 << 10

// Short is the status with no more of its error than is kept.
func (s InstanceStatus) Short() InstanceStatus {
	s.Error = short(s.Error)
	return s
}

func short(text string) string {
	if len(text) > maxTold {
		return strings.ToValidUTF8(text[:maxTold], "")
	}
	return text
}

// ReportAnswer names what the heart lacks, what it should stop, and where the
// rest of the cluster is.
type ReportAnswer struct {
	Epoch    uint64
	Revision int
	// Start are the ids that are wanted here and that the report lacks.
	Start []ID
	// Stop are ids that are no longer wanted and out of every route.
	Stop []ID
	// Forget are ids reported gone whose end is recorded: the heart may drop
	// its notes of them.
	Forget   []ID
	SendFull bool
	// Neighbours is nil when the node knows them.
	Neighbours *Neighbours
	// Show are addresses that the node has named and is to show, by a connection from each.
	Show []string
	// ShowAt are addresses of the nodes' API for that, beside where the node knows it.
	ShowAt []string
	// DeadAfter is the silence after which a node counts as dead.
	DeadAfter time.Duration
}

// InstanceSpec is all that a heart needs to run one instance. It holds secrets:
// it is sent to its own node only and kept in a file of mode 0600.
type InstanceSpec struct {
	ID        ID
	AppID     ID
	App       string
	Release   string // label
	Type      string
	Node      string
	Commit    string
	Build     ID // that Image comes from
	Image     Image
	Command   string
	Env       map[string]string // config vars; the injected ones are added by the heart
	Port      int
	Limits    Limits
	Health    Health
	StopGrace time.Duration
	Container ContainerOptions
	Grants    []string // of the app
	Revision  int
	Exclusive bool // it may not run from a record on the disk alone, see ProcessType
	// StopWhenCutOff: it ends where the pacemaker is not reached, see ProcessType.
	StopWhenCutOff bool
}

// Grace is how long a process that was asked to end may take.
func (s InstanceSpec) Grace() time.Duration {
	if s.StopGrace <= 0 {
		return DefaultStopGrace
	}
	return s.StopGrace
}

// Hello opens a node's session and tells it where things are.
type Hello struct {
	Session  string
	Hostname string
	Place    string // names the machine, its boot and the data directory: a copy elsewhere has another
	Pid      int
	Roles    []Role
	Address  string
	Version  string
	Lease    Lease
	Copied   bool // the lease was given to another disk, whose daemon did not end in order
}

// Welcome is the answer to Hello.
type Welcome struct {
	Cluster  ID
	Epoch    uint64
	NodeID   ID
	NodeName string
	Jobs     RedisEndpoint
	Routes   RedisEndpoint // for the replica; set for routers
	Stats    RedisEndpoint // set for routers
	Networks []string      // prefixes that instance addresses may lie in
	// Pacemakers are the addresses of the nodes' API.
	Pacemakers []string
	// Lease is for the next session; "" from a version that gives none, and for the
	// pacemaker's own node.
	Lease Lease
}

// RouterReport is what a router's Go part says: the lowest (epoch, generation)
// over its live workers, the requests still in flight on instances that have
// left the table, and what is wrong with its workers.
type RouterReport struct {
	Epoch      uint64
	Generation uint64
	Inflight   map[ID]int64
	Workers    int
	// Slowest is the process id of a worker with that lowest pair.
	Slowest int
	// Stuck are the process ids of workers that do not follow the table, which
	// are replaced if that lasts.
	Stuck []int
	// Connections is how many the workers can have together, Free how many of
	// these are unused; 0 and 0 where that is not known.
	Connections, Free int
	// Limits name who was refused more connections within the last minute.
	Limits []RouterLimit
	// Age is for how long the router may lack what was published: since its replica
	// last heard its master, or the slowest worker the replica.
	Age time.Duration
	// Lost are the addresses of nodes that do not answer the router.
	Lost []string
}

// RouterLimit is an app or a client that had as many of a router's connections
// as it may.
type RouterLimit struct {
	Kind    string // "app" or "client"
	Name    string // of the app, or the client's address
	Held    int    // connections at most, added up over the workers
	Refused int    // requests and connections
}
