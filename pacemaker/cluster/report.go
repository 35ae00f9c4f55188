package cluster

import "time"

// Report is what a heart sends about itself and all of its instances, every
// interval and at once on a change. A heart has one report in flight.
type Report struct {
	Session  string            `json:"session"` // of this run of the process; a second heart has another
	Counter  uint64            `json:"counter"` // rises with each report; older ones are dropped
	Epoch    uint64            `json:"epoch"`   // of the wanted set that the heart has applied
	Revision int               `json:"revision"`
	Roles    []Role            `json:"roles"`
	Address  string            `json:"address"`
	Load     Load              `json:"load"`
	Tags     map[string]string `json:"tags,omitempty"`
	// Digest is over the full set of instances, see InstanceDigest. Instances
	// holds those that changed since the last report that was answered, or all
	// of them when Full is set.
	Digest    string           `json:"digest"`
	Full      bool             `json:"full"`
	Instances []InstanceStatus `json:"instances,omitempty"`
}

// InstanceStatus is what a heart says of one instance.
type InstanceStatus struct {
	ID        ID            `json:"id"`
	State     InstanceState `json:"state"`
	Crashing  bool          `json:"crashing,omitempty"`
	Restarts  int           `json:"restarts,omitempty"`
	Error     string        `json:"error,omitempty"`
	Port      int           `json:"port,omitempty"`
	StartedAt *time.Time    `json:"started_at,omitempty"`
	Memory    int64         `json:"memory,omitempty"` // bytes in use; not part of the digest
	Gone      bool          `json:"gone,omitempty"`   // no container of it is left on the node
}

// ReportAnswer names what the heart lacks, what it should stop, and where the
// rest of the cluster is.
type ReportAnswer struct {
	Epoch    uint64 `json:"epoch"`
	Revision int    `json:"revision"`
	// Start are the ids that are wanted here and that the report lacks.
	Start []ID `json:"start,omitempty"`
	// Stop are ids that are no longer wanted and out of every route.
	Stop []ID `json:"stop,omitempty"`
	// Forget are ids reported gone whose end is recorded: the heart may drop
	// its notes of them.
	Forget   []ID `json:"forget,omitempty"`
	SendFull bool `json:"send_full,omitempty"`
}

// InstanceSpec is all that a heart needs to run one instance. It holds secrets:
// it travels only to its own node and lies in a file of mode 0600.
type InstanceSpec struct {
	ID        ID                `json:"id"`
	AppID     ID                `json:"app_id"`
	App       string            `json:"app"`
	Release   string            `json:"release"` // label
	Type      string            `json:"type"`
	Node      string            `json:"node"`
	Commit    string            `json:"commit,omitempty"`
	Image     Image             `json:"image"`
	Command   string            `json:"command,omitempty"`
	Env       map[string]string `json:"env"` // config vars; the injected ones are added by the heart
	Port      int               `json:"port"`
	Limits    Limits            `json:"limits"`
	Health    Health            `json:"health"`
	StopGrace time.Duration     `json:"stop_grace"`
	Revision  int               `json:"revision"`
}

// Hello opens a node's session and tells it where things are.
type Hello struct {
	Session  string `json:"session"`
	Hostname string `json:"hostname"`
	Pid      int    `json:"pid"`
	Roles    []Role `json:"roles"`
	Address  string `json:"address"`
	Version  string `json:"version"`
}

// Welcome is the answer to Hello.
type Welcome struct {
	Cluster  ID        `json:"cluster"`
	Epoch    uint64    `json:"epoch"`
	NodeID   ID        `json:"node_id"`
	NodeName string    `json:"node_name"`
	Jobs     RedisDoor `json:"jobs"`
	Routes   RedisDoor `json:"routes"`   // for the replica; set for routers
	Stats    RedisDoor `json:"stats"`    // set for routers
	Networks []string  `json:"networks"` // prefixes that instance addresses may lie in
}

// RouterReport is what a router's Go part says: the lowest (epoch, generation)
// over its live workers, and the requests still in flight on instances that
// have left the table.
type RouterReport struct {
	Epoch      uint64       `json:"epoch"`
	Generation uint64       `json:"generation"`
	Inflight   map[ID]int64 `json:"inflight,omitempty"`
	Workers    int          `json:"workers"`
}

// LogLine is one line of an instance's output.
type LogLine struct {
	Time     time.Time `json:"time"`
	App      ID        `json:"app"`
	Instance ID        `json:"instance"`
	Type     string    `json:"type"`
	Release  string    `json:"release"`
	Node     string    `json:"node"`
	Stream   string    `json:"stream"` // stdout, stderr, or system for the platform's own words
	Text     string    `json:"text"`
}
