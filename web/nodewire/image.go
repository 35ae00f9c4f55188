package nodewire

import (
	"time"

	"aorta/pacemaker/cluster"
)

// EngineImage is an image of the cluster on a node's engine.
type EngineImage struct {
	ID        string              `json:"id"`
	Names     []string            `json:"names,omitempty"`
	Size      int64               `json:"size"`
	CreatedAt time.Time           `json:"created_at"`
	Origin    cluster.ImageOrigin `json:"origin"`
	App       cluster.ID          `json:"app,omitempty"`
	Build     cluster.ID          `json:"build,omitempty"`
	InUse     bool                `json:"in_use,omitempty"`
}

// FromEngineImages are the shapes of images.
func FromEngineImages(list []cluster.EngineImage) []EngineImage {
	return each(list, func(i cluster.EngineImage) EngineImage { return EngineImage(i) })
}

// DomainEngineImages are the values that the shapes carry.
func DomainEngineImages(list []EngineImage) []cluster.EngineImage {
	return each(list, func(i EngineImage) cluster.EngineImage { return cluster.EngineImage(i) })
}

// ImageFate is what becomes of one of a node's images.
type ImageFate struct {
	EngineImage
	AppName  string   `json:"app_name,omitempty"`
	Releases []string `json:"releases,omitempty"`
	Refs     []string `json:"refs,omitempty"`
	Collect  bool     `json:"collect,omitempty"`
	Because  string   `json:"because"`
}

// ImageFates answers a report of images.
type ImageFates struct {
	Images []ImageFate `json:"images"`
}

// FromImageFates is the shape of fates.
func FromImageFates(list []cluster.ImageFate) ImageFates {
	return ImageFates{each(list, func(f cluster.ImageFate) ImageFate {
		return ImageFate{EngineImage(f.EngineImage), f.AppName, f.Releases, f.Refs, f.Collect, f.Because}
	})}
}

// Domain are the values that the shape carries.
func (f ImageFates) Domain() []cluster.ImageFate {
	return each(f.Images, func(f ImageFate) cluster.ImageFate {
		return cluster.ImageFate{EngineImage: cluster.EngineImage(f.EngineImage), AppName: f.AppName, Releases: f.Releases, Refs: f.Refs, Collect: f.Collect, Because: f.Because}
	})
}
