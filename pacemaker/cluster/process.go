package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aorta/internal/duration"
)

// WebType is the process type that gets routes and one instance unasked.
const WebType = "web"

// Limits bound what one instance may use. Zero means the default.
type Limits struct {
	Memory int64   // bytes
	CPUs   float64 // cores
}

// The limits of an instance whose process type names none, and the bounds that
// a person's wish must lie in.
const (
	DefaultMemory = 512 << 20
	MinMemory     = 6 << 20
	MaxMemory     = 1 << 40
	DefaultCPUs   = 1.0
	MinCPUs       = 0.01
	MaxCPUs       = 1024.0
	MaxQuantity   = 1000
)

// OrDefault fills in what is not set.
func (l Limits) OrDefault() Limits {
	if l.Memory == 0 {
		l.Memory = DefaultMemory
	}
	if l.CPUs == 0 {
		l.CPUs = DefaultCPUs
	}
	return l
}

// Validate checks the limits that are set against the bounds.
func (l Limits) Validate(field string) error {
	if l.Memory != 0 && (l.Memory < MinMemory || l.Memory > MaxMemory) {
		return Invalid(field+".memory", "%s is outside %s … %s", Bytes(l.Memory), Bytes(MinMemory), Bytes(MaxMemory))
	}
	if l.CPUs != 0 && !(l.CPUs >= MinCPUs && l.CPUs <= MaxCPUs) {
		return Invalid(field+".cpus", "%v is outside %v … %v", l.CPUs, MinCPUs, MaxCPUs)
	}
	return nil
}

// Health says when an instance counts as healthy. Without a path a TCP connect
// on its port is enough.
type Health struct {
	Path         string
	Status       int // expected; 0 means any 2xx or 3xx
	StartTimeout time.Duration
	Interval     time.Duration
}

// The times used where a process type names none.
const (
	DefaultStartTimeout   = 60 * time.Second
	DefaultHealthInterval = 5 * time.Second
	DefaultStopGrace      = 30 * time.Second
	MaxStopGrace          = 10 * time.Minute
)

// OrDefault fills in what is not set.
func (h Health) OrDefault() Health {
	if h.StartTimeout == 0 {
		h.StartTimeout = DefaultStartTimeout
	}
	if h.Interval == 0 {
		h.Interval = DefaultHealthInterval
	}
	return h
}

// ProcessType is how one kind of process of a release is run. It is part of
// the release and never changes with it; quantity and limits that a person set
// by hand live in the Formation.
type ProcessType struct {
	Name string
	// Command runs in the image's own shell inside the container. Empty means
	// the image's own entry point and command.
	Command   string
	Quantity  *int // asked for by aorta.yml
	Limits    Limits
	Health    Health
	StopGrace time.Duration
	Container ContainerOptions
	Tags      Tags
	// Exclusive: no two instances of it run at once, whatever happens, see exclusive.go.
	Exclusive bool
	// StopWhenCutOff: an exclusive one ends by itself where its node does not reach the
	// pacemaker, so that another one may start elsewhere once the node counts as dead.
	StopWhenCutOff bool
}

// Grace is the time between SIGTERM and SIGKILL.
func (p ProcessType) Grace() time.Duration {
	if p.StopGrace == 0 {
		return DefaultStopGrace
	}
	return p.StopGrace
}

// DefaultQuantity is what a type runs with until a person scales it: what
// aorta.yml asks, else one web and nothing else.
func (p ProcessType) DefaultQuantity() int {
	switch {
	case p.Quantity != nil:
		return *p.Quantity
	case p.Name == WebType:
		return 1
	}
	return 0
}

// Validate checks a process type as a build or a request brings it.
func (p ProcessType) Validate(field string) error {
	if err := ValidateName(field+".name", p.Name); err != nil {
		return err
	}
	if p.Quantity != nil {
		if err := ValidateQuantity(field+".quantity", *p.Quantity); err != nil {
			return err
		}
	}
	if p.StopGrace < 0 || p.StopGrace > MaxStopGrace {
		return Invalid(field+".stop_grace", "%s is outside 0s … %s", duration.Text(p.StopGrace), duration.Text(MaxStopGrace))
	}
	if err := p.validateExclusive(field); err != nil {
		return err
	}
	if err := p.Health.validate(field + ".health"); err != nil {
		return err
	}
	if err := p.Container.Validate(field + "."); err != nil {
		return err
	}
	if err := p.Tags.Validate(field + ".tags"); err != nil {
		return err
	}
	return p.Limits.Validate(field)
}

func (h Health) validate(field string) error {
	switch {
	case h.Path != "" && (h.Path[0] != '/' || len(h.Path) > 1024 || hasControl(h.Path)):
		return Invalid(field+".path", "%q is not a path that starts with /", Clip(h.Path))
	case h.Status != 0 && (h.Status < 100 || h.Status > 599):
		return Invalid(field+".status", "%d is not an HTTP status", h.Status)
	case outsideHealth(h.StartTimeout):
		return Invalid(field+".start_timeout", "%s is outside 1s … 1h", duration.Text(h.StartTimeout))
	case outsideHealth(h.Interval):
		return Invalid(field+".interval", "%s is outside 1s … 1h", duration.Text(h.Interval))
	}
	return nil
}

// outsideHealth refuses times of which a node would be busy with nothing but
// checks, and those that nobody waits for. Zero is the default.
func outsideHealth(d time.Duration) bool {
	return d != 0 && (d < time.Second || d > time.Hour)
}

// ValidateQuantity checks a number of instances.
func ValidateQuantity(field string, n int) error {
	if n < 0 || n > MaxQuantity {
		return Invalid(field, "%d is outside 0 … %d", n, MaxQuantity)
	}
	return nil
}

func hasControl(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == 0x7f {
			return true
		}
	}
	return false
}

// Formation is what a person asked of one process type of an app, across its
// releases. A nil quantity, zero limits and no tags leave it to the release.
type Formation struct {
	AppID    ID
	Type     string
	Quantity *int
	Limits   Limits
	Tags     Tags
}

// Size prints a size as people read it: 512 MB, 23.5 GB, in powers of 1024.
func Size(n int64) string {
	value, unit := float64(n), "bytes"
	for _, next := range []string{"KB", "MB", "GB", "TB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	return strings.TrimSuffix(strconv.FormatFloat(value, 'f', 1, 64), ".0") + " " + unit
}

// Bytes prints a size as people type it: 256m, 1g.
func Bytes(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%dg", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%dm", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%dk", n>>10)
	}
	return fmt.Sprintf("%db", n)
}
