package docker

import (
	"maps"
	"slices"
	"time"

	"github.com/moby/moby/api/types/image"
)

// ImageRun is what an image says about how it is to be run, as far as the
// platform does something about it; the rest is the engine's business.
type ImageRun struct {
	Command        []string // entry point and command; empty when it has neither
	Entrypoint     []string
	Env            []string // "KEY=value"
	Volumes        []string // paths, sorted
	Ports          []string // "80/tcp", sorted
	Healthcheck    bool
	HealthInterval time.Duration // 0: the engine's default
}

func runOf(i image.InspectResponse) ImageRun {
	c := i.Config
	if c == nil {
		return ImageRun{}
	}
	r := ImageRun{
		Command: slices.Concat(c.Entrypoint, c.Cmd), Entrypoint: c.Entrypoint, Env: c.Env,
		Volumes: slices.Sorted(maps.Keys(c.Volumes)), Ports: slices.Sorted(maps.Keys(c.ExposedPorts)),
	}
	if h := c.Healthcheck; h != nil && len(h.Test) > 0 && h.Test[0] != "NONE" {
		r.Healthcheck, r.HealthInterval = true, h.Interval
	}
	return r
}
