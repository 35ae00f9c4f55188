package cluster

import (
	"strings"
	"time"
)

// ImageOrigin says how an image came onto an engine.
type ImageOrigin string

// The origins of images.
const (
	ImageBuilt  ImageOrigin = "built"
	ImagePulled ImageOrigin = "pulled"
)

// EngineImage is an image of this cluster on a node's engine.
type EngineImage struct {
	ID        string   // "sha256:…"
	Names     []string // "name:tag"
	Size      int64    // bytes, what it shares with others included
	CreatedAt time.Time
	Origin    ImageOrigin
	App       ID   // that it was built for; of a pulled one, known to the pacemaker alone
	Build     ID   // that made it, or that it was pulled for
	InUse     bool // a container, running or not, was made from it
}

// ShortID is the image's id as `docker images` shows it.
func (i EngineImage) ShortID() string {
	id := strings.TrimPrefix(i.ID, "sha256:")
	return id[:min(12, len(id))]
}

// ImageUse is a release that was made with an image.
type ImageUse struct {
	Image   Image
	Build   ID
	App     ID
	AppName string
	Number  int
	Live    bool // it has traffic or instances
	Kept    bool // it is one of its app's newest
}

// ImageFate is what becomes of an image on an engine, and why.
type ImageFate struct {
	EngineImage
	AppName  string   // empty when the app is gone
	Releases []string // labels, the newest first
	Refs     []string // that releases know it by
	Collect  bool     // it will be removed
	Because  string
}
