package heart

import (
	"time"

	"aorta/pacemaker/cluster"
)

// recordFile is a record as its file holds it. Durations are nanoseconds. A heart
// of another version reads it after an upgrade: a field is added, and never
// renamed or given another meaning.
type recordFile struct {
	Spec      specFile              `json:"spec"`
	Stray     bool                  `json:"stray,omitempty"`
	State     cluster.InstanceState `json:"state"`
	Healthy   bool                  `json:"healthy,omitempty"`
	Crashing  bool                  `json:"crashing,omitempty"`
	Restarts  int                   `json:"restarts,omitempty"`
	Error     string                `json:"error,omitempty"`
	Tail      []string              `json:"tail,omitempty"`
	Gone      bool                  `json:"gone,omitempty"`
	StartedAt *time.Time            `json:"started_at,omitempty"`
	Process   process               `json:"process,omitzero"`

	ImageGone bool   `json:"image_gone,omitempty"`
	WhyGone   string `json:"image_gone_why,omitempty"`
	Rebuilt   bool   `json:"rebuilt,omitempty"`

	TakenDown bool      `json:"taken_down,omitempty"`
	Session   string    `json:"session,omitempty"`
	StopAsked bool      `json:"stop_asked,omitempty"`
	Remake    bool      `json:"remake,omitempty"`
	TermAt    time.Time `json:"term_at,omitzero"`

	HealthySince time.Time     `json:"healthy_since,omitzero"`
	Backoff      time.Duration `json:"backoff,omitempty"`
	NextStart    time.Time     `json:"next_start,omitzero"`
	Starts       []time.Time   `json:"starts,omitempty"`
}

// specFile is an instance's spec in its record's file.
type specFile struct {
	ID        cluster.ID        `json:"id"`
	AppID     cluster.ID        `json:"app_id"`
	App       string            `json:"app"`
	Release   string            `json:"release"`
	Type      string            `json:"type"`
	Node      string            `json:"node"`
	Commit    string            `json:"commit,omitempty"`
	Build     cluster.ID        `json:"build,omitempty"`
	Image     imageFile         `json:"image"`
	Command   string            `json:"command,omitempty"`
	Env       map[string]string `json:"env"`
	Port      int               `json:"port"`
	Limits    limitsFile        `json:"limits"`
	Health    healthFile        `json:"health"`
	StopGrace time.Duration     `json:"stop_grace"`
	Container containerFile     `json:"container,omitzero"`
	Grants    []string          `json:"grants,omitempty"`
	Revision  int               `json:"revision"`
	Exclusive bool              `json:"exclusive,omitempty"`

	StopWhenCutOff bool `json:"stop_when_cut_off,omitempty"`
}

type imageFile struct {
	Ref    string `json:"ref"`
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Pushed string `json:"pushed,omitempty"`
	Arch   string `json:"arch,omitempty"`
	Config string `json:"config,omitempty"`
}

type limitsFile struct {
	Memory int64   `json:"memory,omitempty"`
	CPUs   float64 `json:"cpus,omitempty"`
}

type healthFile struct {
	Path         string        `json:"path,omitempty"`
	Status       int           `json:"status,omitempty"`
	StartTimeout time.Duration `json:"start_timeout,omitempty"`
	Interval     time.Duration `json:"interval,omitempty"`
}

func (r record) file() recordFile {
	return recordFile{
		Spec: specFileOf(r.Spec), Stray: r.Stray, State: r.State, Healthy: r.Healthy, Crashing: r.Crashing,
		Restarts: r.Restarts, Error: r.Error, Tail: r.Tail, Gone: r.Gone, StartedAt: r.StartedAt, Process: r.Process,
		ImageGone: r.ImageGone, WhyGone: r.WhyGone, Rebuilt: r.Rebuilt, TakenDown: r.TakenDown, Session: r.Session, StopAsked: r.StopAsked, Remake: r.Remake, TermAt: r.TermAt, HealthySince: r.HealthySince, Backoff: r.Backoff,
		NextStart: r.NextStart, Starts: r.Starts,
	}
}

func (f recordFile) record() record {
	return record{
		Spec: f.Spec.spec(), Stray: f.Stray, State: f.State, Healthy: f.Healthy, Crashing: f.Crashing,
		Restarts: f.Restarts, Error: f.Error, Tail: f.Tail, Gone: f.Gone, StartedAt: f.StartedAt, Process: f.Process,
		ImageGone: f.ImageGone, WhyGone: f.WhyGone, Rebuilt: f.Rebuilt, TakenDown: f.TakenDown, Session: f.Session, StopAsked: f.StopAsked, Remake: f.Remake, TermAt: f.TermAt, HealthySince: f.HealthySince, Backoff: f.Backoff,
		NextStart: f.NextStart, Starts: f.Starts,
	}
}

func specFileOf(s cluster.InstanceSpec) specFile {
	return specFile{
		ID: s.ID, AppID: s.AppID, App: s.App, Release: s.Release, Type: s.Type, Node: s.Node, Commit: s.Commit,
		Build: s.Build, Image: imageFile(s.Image), Command: s.Command, Env: s.Env, Port: s.Port,
		Limits: limitsFile(s.Limits), Health: healthFile(s.Health), StopGrace: s.StopGrace,
		Container: containerFileOf(s.Container), Grants: s.Grants, Revision: s.Revision, Exclusive: s.Exclusive, StopWhenCutOff: s.StopWhenCutOff,
	}
}

func (f specFile) spec() cluster.InstanceSpec {
	return cluster.InstanceSpec{
		ID: f.ID, AppID: f.AppID, App: f.App, Release: f.Release, Type: f.Type, Node: f.Node, Commit: f.Commit,
		Build: f.Build, Image: cluster.Image(f.Image), Command: f.Command, Env: f.Env, Port: f.Port,
		Limits: cluster.Limits(f.Limits), Health: cluster.Health(f.Health), StopGrace: f.StopGrace,
		Container: f.Container.options(), Grants: f.Grants, Revision: f.Revision, Exclusive: f.Exclusive, StopWhenCutOff: f.StopWhenCutOff,
	}
}
