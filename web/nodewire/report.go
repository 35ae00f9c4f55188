package nodewire

import (
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// Report is what a node says of itself and of its instances.
type Report struct {
	Session    string                       `json:"session"`
	Counter    uint64                       `json:"counter"`
	Epoch      uint64                       `json:"epoch"`
	Revision   int                          `json:"revision"`
	Roles      []cluster.Role               `json:"roles"`
	Address    string                       `json:"address"`
	Load       Load                         `json:"load"`
	Tags       map[string]string            `json:"tags,omitempty"`
	TagSources map[string]cluster.TagSource `json:"tag_sources,omitempty"`
	Digest     string                       `json:"digest"`
	Full       bool                         `json:"full"`
	Instances  []InstanceStatus             `json:"instances,omitempty" maxItems:"2000"`
	Parts      []Part                       `json:"parts,omitempty" maxItems:"64"`
	Places     *Places                      `json:"places,omitempty"`
	// Neighbours is the digest of those that the node knows.
	Neighbours string `json:"neighbours,omitempty"`
}

// FromReport is the shape of r.
func FromReport(r cluster.Report) Report {
	return Report{
		Session: r.Session, Counter: r.Counter, Epoch: r.Epoch, Revision: r.Revision, Roles: r.Roles, Address: r.Address,
		Load: Load(r.Load), Tags: r.Tags, TagSources: r.TagSources, Digest: r.Digest, Full: r.Full,
		Instances: each(r.Instances, func(s cluster.InstanceStatus) InstanceStatus { return InstanceStatus(s.Short()) }),
		Parts:     each(r.Parts, func(p cluster.Part) Part { return Part(p.Short()) }),
		Places:    fromPlaces(r.Places), Neighbours: r.Neighbours,
	}
}

// Domain is the value that the shape carries.
func (r Report) Domain() cluster.Report {
	return cluster.Report{
		Session: r.Session, Counter: r.Counter, Epoch: r.Epoch, Revision: r.Revision, Roles: r.Roles, Address: r.Address,
		Load: cluster.Load(r.Load), Tags: r.Tags, TagSources: r.TagSources, Digest: r.Digest, Full: r.Full,
		Instances: each(r.Instances, func(s InstanceStatus) cluster.InstanceStatus { return cluster.InstanceStatus(s).Short() }),
		Parts:     each(r.Parts, func(p Part) cluster.Part { return cluster.Part(p).Short() }),
		Places:    r.Places.domain(), Neighbours: r.Neighbours,
	}
}

// Part is something on the node that is watched.
type Part struct {
	Kind  cluster.PartKind `json:"kind" maxLength:"20"`
	Name  string           `json:"name" maxLength:"100"`
	Fault string           `json:"fault,omitempty"`
	Minor bool             `json:"minor,omitempty"`
	Ago   time.Duration    `json:"ago,omitempty"`
}

// Load is how busy a node is.
type Load struct {
	Score       float64 `json:"score"`
	CPU         float64 `json:"cpu"`
	CPUs        int     `json:"cpus"`
	MemoryUsed  int64   `json:"memory_used"`
	MemoryTotal int64   `json:"memory_total"`
	DiskUsed    float64 `json:"disk_used"`
	DiskFree    int64   `json:"disk_free"`
	LoadAverage float64 `json:"load_average1"`
	Instances   int     `json:"instances,omitempty"`
	Promised    int64   `json:"promised,omitempty"`
}

// InstanceStatus is what a heart says of one instance.
type InstanceStatus struct {
	ID        cluster.ID            `json:"id" maxLength:"40"`
	State     cluster.InstanceState `json:"state" maxLength:"20"`
	Crashing  bool                  `json:"crashing,omitempty"`
	Restarts  int                   `json:"restarts,omitempty"`
	Error     string                `json:"error,omitempty"`
	Port      int                   `json:"port,omitempty"`
	Address   string                `json:"address,omitempty" maxLength:"64"`
	StartedAt *time.Time            `json:"started_at,omitempty"`
	Memory    int64                 `json:"memory,omitempty"`
	CPU       *float64              `json:"cpu,omitempty"`
	Gone      bool                  `json:"gone,omitempty"`

	StopsAfter time.Duration `json:"stops_after,omitempty"`
}

// ReportAnswer answers a Report.
type ReportAnswer struct {
	Epoch      uint64       `json:"epoch"`
	Revision   int          `json:"revision"`
	Start      []cluster.ID `json:"start,omitempty"`
	Stop       []cluster.ID `json:"stop,omitempty"`
	Forget     []cluster.ID `json:"forget,omitempty"`
	SendFull   bool         `json:"send_full,omitempty"`
	Neighbours *Neighbours  `json:"neighbours,omitempty"`
	Show       []string     `json:"show,omitempty"`
	ShowAt     []string     `json:"show_at,omitempty"`

	DeadAfter time.Duration `json:"dead_after,omitempty"`
}

// FromReportAnswer is the shape of a.
func FromReportAnswer(a cluster.ReportAnswer) ReportAnswer {
	return ReportAnswer{
		Epoch: a.Epoch, Revision: a.Revision, Start: a.Start, Stop: a.Stop, Forget: a.Forget, SendFull: a.SendFull,
		Neighbours: fromNeighbours(a.Neighbours), Show: a.Show, ShowAt: a.ShowAt, DeadAfter: a.DeadAfter,
	}
}

// Domain is the value that the shape carries.
func (a ReportAnswer) Domain() cluster.ReportAnswer {
	return cluster.ReportAnswer{
		Epoch: a.Epoch, Revision: a.Revision, Start: a.Start, Stop: a.Stop, Forget: a.Forget, SendFull: a.SendFull,
		Neighbours: a.Neighbours.domain(), Show: a.Show, ShowAt: a.ShowAt, DeadAfter: a.DeadAfter,
	}
}

// RouterReport is what a node's router says that it serves.
type RouterReport struct {
	Epoch       uint64               `json:"epoch"`
	Generation  uint64               `json:"generation"`
	Inflight    map[cluster.ID]int64 `json:"inflight,omitempty"`
	Workers     int                  `json:"workers"`
	Slowest     int                  `json:"slowest,omitempty"`
	Stuck       []int                `json:"stuck,omitempty"`
	Connections int                  `json:"connections,omitempty"`
	Free        int                  `json:"free,omitempty"`
	Limits      []RouterLimit        `json:"limits,omitempty"`
	AgeSeconds  float64              `json:"age_seconds,omitempty"`
	Lost        []string             `json:"lost,omitempty"`
}

// RouterLimit is an app or a client that had as many connections as it may.
type RouterLimit struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Held    int    `json:"held"`
	Refused int    `json:"refused"`
}

// maxTold is how many of the limits and of the stuck workers of a router are told: each
// worker may name ten limits, and people read them all.
const maxTold = 64

// domain has no more of the name than a host or an address can have.
func (l RouterLimit) domain() cluster.RouterLimit {
	const longest = 253
	l.Name = strings.ToValidUTF8(l.Name[:min(len(l.Name), longest)], "")
	return cluster.RouterLimit(l)
}

// FromRouterReport is the shape of r.
func FromRouterReport(r cluster.RouterReport) RouterReport {
	return RouterReport{
		Epoch: r.Epoch, Generation: r.Generation, Inflight: r.Inflight, Workers: r.Workers, Slowest: r.Slowest, Stuck: r.Stuck,
		Connections: r.Connections, Free: r.Free, Limits: each(r.Limits, func(l cluster.RouterLimit) RouterLimit { return RouterLimit(l) }),
		AgeSeconds: r.Age.Seconds(), Lost: r.Lost,
	}
}

// Domain is the value that the shape carries.
func (r RouterReport) Domain() cluster.RouterReport {
	return cluster.RouterReport{
		Epoch: r.Epoch, Generation: r.Generation, Inflight: r.Inflight, Workers: r.Workers, Slowest: r.Slowest, Stuck: r.Stuck[:min(len(r.Stuck), maxTold)],
		Connections: r.Connections, Free: r.Free, Limits: each(r.Limits[:min(len(r.Limits), maxTold)], RouterLimit.domain),
		Age: time.Duration(r.AgeSeconds * float64(time.Second)), Lost: r.Lost,
	}
}
