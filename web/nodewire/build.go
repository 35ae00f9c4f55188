package nodewire

import (
	"time"

	"aorta/pacemaker/cluster"
)

// BuildSpec is what a builder needs to know of a build.
type BuildSpec struct {
	ID      cluster.ID         `json:"id"`
	AppID   cluster.ID         `json:"app_id"`
	App     string             `json:"app"`
	Kind    cluster.SourceKind `json:"kind"`
	Source  string             `json:"source"`
	State   cluster.BuildState `json:"state"`
	Image   Image              `json:"image,omitzero"`
	Cluster cluster.ID         `json:"cluster"`
	Secrets map[string]string  `json:"secrets,omitempty"`
	Push    bool               `json:"push,omitempty"`
}

// FromBuildSpec is the shape of s.
func FromBuildSpec(s cluster.BuildSpec) BuildSpec {
	return BuildSpec{
		ID: s.ID, AppID: s.AppID, App: s.App, Kind: s.Kind, Source: s.Source, State: s.State,
		Image: Image(s.Image), Cluster: s.Cluster, Secrets: s.Secrets, Push: s.Push,
	}
}

// Domain is the value that the shape carries.
func (s BuildSpec) Domain() cluster.BuildSpec {
	return cluster.BuildSpec{
		ID: s.ID, AppID: s.AppID, App: s.App, Kind: s.Kind, Source: s.Source, State: s.State,
		Image: cluster.Image(s.Image), Cluster: s.Cluster, Secrets: s.Secrets, Push: s.Push,
	}
}

// BuildResult is how a build ended.
type BuildResult struct {
	State     cluster.BuildState  `json:"state"`
	Image     Image               `json:"image,omitzero"`
	Processes []ProcessType       `json:"processes,omitempty"`
	Domains   []string            `json:"domains,omitempty"`
	Route     RequestLimitsChange `json:"route,omitzero"`
	Error     string              `json:"error,omitempty"`
	Replaces  string              `json:"replaces,omitempty"`
	Steps     int                 `json:"steps,omitempty"`
	Cached    int                 `json:"cached,omitempty"`
	Took      time.Duration       `json:"took,omitempty"`
}

// FromBuildResult is the shape of r.
func FromBuildResult(r cluster.BuildResult) BuildResult {
	return BuildResult{
		State: r.State, Image: Image(r.Image), Processes: each(r.Processes, fromProcessType),
		Domains: r.Domains, Route: RequestLimitsChange(r.Route), Error: r.Error, Replaces: r.Replaces,
		Steps: r.Steps, Cached: r.Cached, Took: r.Took,
	}
}

// Domain is the value that the shape carries.
func (r BuildResult) Domain() cluster.BuildResult {
	return cluster.BuildResult{
		State: r.State, Image: cluster.Image(r.Image), Processes: each(r.Processes, ProcessType.domain),
		Domains: r.Domains, Route: cluster.RequestLimitsChange(r.Route), Error: r.Error, Replaces: r.Replaces,
		Steps: r.Steps, Cached: r.Cached, Took: r.Took,
	}
}

// RequestLimitsChange is what an app asks of the routers; null leaves a limit.
type RequestLimitsChange struct {
	Timeout     *time.Duration `json:"timeout,omitempty"`
	IdleTimeout *time.Duration `json:"idle_timeout,omitempty"`
	MaxBody     *int64         `json:"max_body,omitempty"`
}

// ProcessType is how one kind of process is run.
type ProcessType struct {
	Name      string        `json:"name"`
	Command   string        `json:"command,omitempty"`
	Quantity  *int          `json:"quantity,omitempty"`
	Limits    Limits        `json:"limits,omitzero"`
	Health    Health        `json:"health,omitzero"`
	StopGrace time.Duration `json:"stop_grace,omitempty"`

	Container ContainerOptions `json:"container,omitzero"`
	Tags      Tags             `json:"tags,omitzero"`
	Exclusive bool             `json:"exclusive,omitempty"`

	StopWhenCutOff bool `json:"stop_when_cut_off,omitempty"`
}

// Tags are those that a process type asks of its nodes, each KEY or KEY=VALUE.
type Tags struct {
	Require []string `json:"require,omitempty"`
	Prefer  []string `json:"prefer,omitempty"`
}

func fromProcessType(p cluster.ProcessType) ProcessType {
	return ProcessType{
		Name: p.Name, Command: p.Command, Quantity: p.Quantity,
		Limits: Limits(p.Limits), Health: Health(p.Health), StopGrace: p.StopGrace, Container: fromContainerOptions(p.Container),
		Tags: Tags{cluster.TagTexts(p.Tags.Require), cluster.TagTexts(p.Tags.Prefer)}, Exclusive: p.Exclusive, StopWhenCutOff: p.StopWhenCutOff,
	}
}

func (p ProcessType) domain() cluster.ProcessType {
	return cluster.ProcessType{
		Name: p.Name, Command: p.Command, Quantity: p.Quantity,
		Limits: cluster.Limits(p.Limits), Health: cluster.Health(p.Health), StopGrace: p.StopGrace, Container: p.Container.domain(),
		Tags: cluster.Tags{Require: cluster.TagsOf(p.Tags.Require), Prefer: cluster.TagsOf(p.Tags.Prefer)}, Exclusive: p.Exclusive, StopWhenCutOff: p.StopWhenCutOff,
	}
}
