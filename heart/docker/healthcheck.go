package docker

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"aorta/pacemaker/cluster"
)

// HealthStatus is what an image's HEALTHCHECK says of a container.
type HealthStatus struct {
	State  container.HealthStatus // empty when the container is not judged by one
	Output string                 // of the last check that failed, one line
}

// Err says why the container is not healthy, or not yet.
func (h HealthStatus) Err() error {
	switch {
	case h.State == "" || h.State == container.Healthy:
		return nil
	case h.State == container.Starting && h.Output == "":
		return errors.New("the image's HEALTHCHECK has not succeeded yet")
	}
	return fmt.Errorf("the image's HEALTHCHECK fails (%s); have it ask $PORT, or set health: {path: …} in aorta.yml in its place", h.Output)
}

// The engine's own default, and the shortest interval that heart asks of it.
const (
	engineHealthInterval = 30 * time.Second
	minHealthInterval    = time.Second
)

// honoursHealthcheck says that the image's HEALTHCHECK decides over an
// instance: it checks the image's own command, and nothing else was asked for.
func honoursHealthcheck(s cluster.InstanceSpec, img Image) bool {
	return img.Healthcheck && s.Command == "" && s.Health.Path == ""
}

// setHealthcheck has the engine run the image's HEALTHCHECK, at least as often
// as the heart checks, so that a start waits for the first result and not for
// half a minute. What is left out here is the image's. A check that does not
// decide is switched off.
func setHealthcheck(c *container.Config, s cluster.InstanceSpec, img Image) {
	switch {
	case honoursHealthcheck(s, img):
		interval := img.HealthInterval
		if interval == 0 {
			interval = engineHealthInterval
		}
		c.Healthcheck = &container.HealthConfig{Interval: max(min(interval, s.Health.OrDefault().Interval), minHealthInterval)}
		c.Labels[cluster.LabelHealth] = "image"
	case img.Healthcheck:
		c.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
	}
}

// healthStatus reads the result of the last checks. Containers without the label
// were made before the HEALTHCHECK counted, with the image's own interval.
func healthStatus(r container.InspectResponse) HealthStatus {
	if r.State.Health == nil || r.Config.Labels[cluster.LabelHealth] == "" || r.State.Health.Status == container.NoHealthcheck {
		return HealthStatus{}
	}
	h := HealthStatus{State: r.State.Health.Status}
	for _, result := range r.State.Health.Log {
		if result.ExitCode != 0 {
			h.Output = cluster.Clip(strings.Join(strings.Fields(strings.ToValidUTF8(result.Output, "\uFFFD")), " "))
		}
	}
	return h
}
