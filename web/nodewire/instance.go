package nodewire

import (
	"time"

	"aorta/pacemaker/cluster"
)

// InstanceSpec is all that a heart needs to run one instance. It holds secrets.
type InstanceSpec struct {
	ID        cluster.ID        `json:"id"`
	AppID     cluster.ID        `json:"app_id"`
	App       string            `json:"app"`
	Release   string            `json:"release"`
	Type      string            `json:"type"`
	Node      string            `json:"node"`
	Commit    string            `json:"commit,omitempty"`
	Build     cluster.ID        `json:"build,omitempty"`
	Image     Image             `json:"image"`
	Command   string            `json:"command,omitempty"`
	Env       map[string]string `json:"env"`
	Port      int               `json:"port"`
	Limits    Limits            `json:"limits"`
	Health    Health            `json:"health"`
	StopGrace time.Duration     `json:"stop_grace"`
	Container ContainerOptions  `json:"container,omitzero"`
	Grants    []string          `json:"grants,omitempty"`
	Revision  int               `json:"revision"`
	Exclusive bool              `json:"exclusive,omitempty"`

	StopWhenCutOff bool `json:"stop_when_cut_off,omitempty"`
}

// FromInstanceSpec is the shape of s.
func FromInstanceSpec(s cluster.InstanceSpec) InstanceSpec {
	return InstanceSpec{
		ID: s.ID, AppID: s.AppID, App: s.App, Release: s.Release, Type: s.Type, Node: s.Node, Commit: s.Commit,
		Build: s.Build, Image: Image(s.Image), Command: s.Command, Env: s.Env, Port: s.Port,
		Limits: Limits(s.Limits), Health: Health(s.Health), StopGrace: s.StopGrace, Container: fromContainerOptions(s.Container), Grants: s.Grants, Revision: s.Revision, Exclusive: s.Exclusive, StopWhenCutOff: s.StopWhenCutOff,
	}
}

// Domain is the value that the shape carries.
func (s InstanceSpec) Domain() cluster.InstanceSpec {
	return cluster.InstanceSpec{
		ID: s.ID, AppID: s.AppID, App: s.App, Release: s.Release, Type: s.Type, Node: s.Node, Commit: s.Commit,
		Build: s.Build, Image: cluster.Image(s.Image), Command: s.Command, Env: s.Env, Port: s.Port,
		Limits: cluster.Limits(s.Limits), Health: cluster.Health(s.Health), StopGrace: s.StopGrace, Container: s.Container.domain(), Grants: s.Grants, Revision: s.Revision, Exclusive: s.Exclusive, StopWhenCutOff: s.StopWhenCutOff,
	}
}

// PortRefused asks for another port for an instance than the one that its node
// could not use.
type PortRefused struct {
	Refused int `json:"refused" minimum:"1" maximum:"65535"`
}

// Image names an image for people, for the engine and for a registry.
type Image struct {
	Ref    string `json:"ref"`
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Pushed string `json:"pushed,omitempty"`
	Arch   string `json:"arch,omitempty"`
	Config string `json:"config,omitempty"`
}

// Limits bound what one instance may use.
type Limits struct {
	Memory int64   `json:"memory,omitempty"`
	CPUs   float64 `json:"cpus,omitempty"`
}

// Health says when an instance counts as healthy.
type Health struct {
	Path         string        `json:"path,omitempty"`
	Status       int           `json:"status,omitempty"`
	StartTimeout time.Duration `json:"start_timeout,omitempty"`
	Interval     time.Duration `json:"interval,omitempty"`
}
