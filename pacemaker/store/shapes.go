package store

import (
	"time"

	"aorta/pacemaker/cluster"
)

// The shapes of what columns hold as JSON. They are the database's own, so that
// a change of the vocabulary or of what nodes are sent never changes what rows of
// before mean: a field here keeps its name, its unit and its meaning for ever.

type imageShape struct {
	Ref    string `json:"ref"`
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"`
	Size   int64  `json:"size,omitempty"` // bytes
	Pushed string `json:"pushed,omitempty"`
	Arch   string `json:"arch,omitempty"`
	Config string `json:"config,omitempty"`
}

func imageShapeOf(i cluster.Image) imageShape {
	return imageShape{Ref: i.Ref, ID: i.ID, Digest: i.Digest, Size: i.Size, Pushed: i.Pushed, Arch: i.Arch, Config: i.Config}
}

func (s imageShape) image() cluster.Image {
	return cluster.Image{Ref: s.Ref, ID: s.ID, Digest: s.Digest, Size: s.Size, Pushed: s.Pushed, Arch: s.Arch, Config: s.Config}
}

type processShape struct {
	Name      string      `json:"name"`
	Command   string      `json:"command,omitempty"`
	Quantity  *int        `json:"quantity,omitempty"`
	Limits    limitsShape `json:"limits,omitzero"`
	Health    healthShape `json:"health,omitzero"`
	StopGrace int64       `json:"stop_grace,omitempty"` // nanoseconds

	Container containerShape `json:"container,omitzero"`
	Tags      tagsShape      `json:"tags,omitzero"`
	Exclusive bool           `json:"exclusive,omitempty"`

	StopWhenCutOff bool `json:"stop_when_cut_off,omitempty"`
}

type limitsShape struct {
	Memory int64   `json:"memory,omitempty"` // bytes
	CPUs   float64 `json:"cpus,omitempty"`   // cores
}

type healthShape struct {
	Path         string `json:"path,omitempty"`
	Status       int    `json:"status,omitempty"`
	StartTimeout int64  `json:"start_timeout,omitempty"` // nanoseconds
	Interval     int64  `json:"interval,omitempty"`      // nanoseconds
}

func processShapeOf(p cluster.ProcessType) processShape {
	return processShape{
		Name: p.Name, Command: p.Command, Quantity: p.Quantity,
		Limits: limitsShape{Memory: p.Limits.Memory, CPUs: p.Limits.CPUs},
		Health: healthShape{
			Path: p.Health.Path, Status: p.Health.Status,
			StartTimeout: int64(p.Health.StartTimeout), Interval: int64(p.Health.Interval),
		},
		StopGrace: int64(p.StopGrace), Container: containerShapeOf(p.Container), Tags: tagsShapeOf(p.Tags), Exclusive: p.Exclusive, StopWhenCutOff: p.StopWhenCutOff,
	}
}

func (s processShape) process() cluster.ProcessType {
	return cluster.ProcessType{
		Name: s.Name, Command: s.Command, Quantity: s.Quantity,
		Limits: cluster.Limits{Memory: s.Limits.Memory, CPUs: s.Limits.CPUs},
		Health: cluster.Health{
			Path: s.Health.Path, Status: s.Health.Status,
			StartTimeout: time.Duration(s.Health.StartTimeout), Interval: time.Duration(s.Health.Interval),
		},
		StopGrace: time.Duration(s.StopGrace), Container: s.Container.options(), Tags: s.Tags.tags(), Exclusive: s.Exclusive, StopWhenCutOff: s.StopWhenCutOff,
	}
}

func encodeImage(i cluster.Image) string { return encode(imageShapeOf(i)) }

func decodeImage(raw, what string) (cluster.Image, error) {
	s, err := decode[imageShape](raw, what)
	return s.image(), err
}

func encodeProcesses(list []cluster.ProcessType) string {
	shapes := make([]processShape, len(list))
	for i, p := range list {
		shapes[i] = processShapeOf(p)
	}
	return encode(shapes)
}

func decodeProcesses(raw, what string) ([]cluster.ProcessType, error) {
	shapes, err := decode[[]processShape](raw, what)
	list := make([]cluster.ProcessType, len(shapes))
	for i, s := range shapes {
		list[i] = s.process()
	}
	return list, err
}

// formationShape is what the event of a change holds; it is read by people alone.
type formationShape struct {
	Type     string
	Quantity *int        `json:",omitempty"`
	Limits   limitsShape `json:",omitzero"`
	Tags     tagsShape   `json:",omitzero"`
}

func encodeFormations(list []cluster.Formation) string {
	shapes := make([]formationShape, len(list))
	for i, f := range list {
		shapes[i] = formationShape{Type: f.Type, Quantity: f.Quantity, Limits: limitsShape{Memory: f.Limits.Memory, CPUs: f.Limits.CPUs}, Tags: tagsShapeOf(f.Tags)}
	}
	return encode(shapes)
}
