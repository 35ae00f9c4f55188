package build

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"aorta/internal/duration"
	"aorta/internal/size"
	"aorta/pacemaker/cluster"
)

// Manifest is the content of aorta.yml.
type Manifest struct {
	Processes []cluster.ProcessType // by name; the command is empty if the Procfile or the image has it
	Domains   []string
	Route     cluster.RequestLimitsChange
	Build     BuildKey
	Container cluster.ContainerOptions // of process types that say nothing else
}

// manifestFile is the file's schema. Keys of type ast.Node are not supported yet
// and refused: if they were ignored, an app would start without its volumes or
// its release command.
type manifestFile struct {
	Processes map[string]manifestProcess `yaml:"processes"`
	Domains   []string                   `yaml:"domains"`
	Route     manifestRoute              `yaml:"route"`
	Build     ast.Node                   `yaml:"build"`
	Release   ast.Node                   `yaml:"release"`
	Links     ast.Node                   `yaml:"links"`
	Cron      ast.Node                   `yaml:"cron"`

	Container manifestContainer `yaml:",inline"`
}

type manifestProcess struct {
	Command   command         `yaml:"command"`
	Quantity  *whole          `yaml:"quantity"`
	Memory    string          `yaml:"memory"`
	CPUs      *cores          `yaml:"cpus"`
	StopGrace string          `yaml:"stop_grace"`
	Health    *manifestHealth `yaml:"health"`
	Tags      manifestTags    `yaml:"tags"`
	Protocol  ast.Node        `yaml:"protocol"`
	Port      ast.Node        `yaml:"port"`
	Exclusive bool            `yaml:"exclusive"`

	StopWhenCutOff bool `yaml:"stop_when_cut_off"`

	Volumes ast.Node `yaml:"volumes"`

	Container manifestContainer `yaml:",inline"`
}

type manifestTags struct {
	Require []string `yaml:"require"`
	Prefer  []string `yaml:"prefer"`
}

type manifestRoute struct {
	Timeout     string `yaml:"timeout"`
	IdleTimeout string `yaml:"idle_timeout"`
	MaxBody     string `yaml:"max_body"`
}

type manifestHealth struct {
	Path         string `yaml:"path"`
	Status       *whole `yaml:"status"`
	StartTimeout string `yaml:"start_timeout"`
	Interval     string `yaml:"interval"`
}

// parseManifest reads what is there of a file. Its error is the first mistake: an
// unknown key is one, too.
func parseManifest(body ast.Node) (Manifest, error) {
	var file manifestFile
	if body != nil {
		if err := yaml.NodeToValue(body, &file, yaml.Strict()); err != nil {
			return Manifest{}, err
		}
	}
	err := refuseUnsupported("", map[string]ast.Node{"release": file.Release, "links": file.Links, "cron": file.Cron})
	if err != nil {
		return Manifest{}, err
	}
	m := Manifest{Domains: file.Domains}
	for i, host := range file.Domains {
		if err := cluster.ValidateHost(fmt.Sprintf("aorta.yml: domains[%d]", i), host); err != nil {
			return Manifest{}, err
		}
	}
	if m.Route, err = file.Route.change(); err != nil {
		return Manifest{}, err
	}
	if m.Build, err = parseBuild(file.Build); err != nil {
		return Manifest{}, err
	}
	if m.Container, err = file.Container.options("aorta.yml: ", cluster.ContainerOptions{}); err != nil {
		return Manifest{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(file.Processes)) {
		p, err := file.Processes[name].processType(name, m.Container)
		if err != nil {
			return Manifest{}, err
		}
		m.Processes = append(m.Processes, p)
	}
	return m, nil
}

func (p manifestProcess) processType(name string, otherwise cluster.ContainerOptions) (cluster.ProcessType, error) {
	where := "aorta.yml: processes." + cluster.Clip(name)
	unsupported := map[string]ast.Node{"protocol": p.Protocol, "port": p.Port, "volumes": p.Volumes}
	if err := refuseUnsupported("processes."+cluster.Clip(name)+".", unsupported); err != nil {
		return cluster.ProcessType{}, err
	}
	t := cluster.ProcessType{Name: name, Command: string(p.Command), Quantity: p.Quantity.asInt(), Exclusive: p.Exclusive, StopWhenCutOff: p.StopWhenCutOff}
	if p.CPUs != nil {
		if t.Limits.CPUs = float64(*p.CPUs); t.Limits.CPUs == 0 {
			return t, cluster.Invalid(where+".cpus", "0 is outside %v … %v", cluster.MinCPUs, cluster.MaxCPUs)
		}
	}
	if p.Command != "" {
		if err := validateCommand(where+".command", string(p.Command)); err != nil {
			return t, err
		}
	}
	var err error
	if t.Limits.Memory, err = parseSize(where+".memory", p.Memory); err != nil {
		return t, err
	}
	if t.StopGrace, err = parseTime(where+".stop_grace", p.StopGrace); err != nil {
		return t, err
	}
	if p.Health != nil {
		if t.Health, err = p.Health.health(where + ".health"); err != nil {
			return t, err
		}
	}
	if t.Container, err = p.Container.options(where+".", otherwise); err != nil {
		return t, err
	}
	if t.Tags, err = p.Tags.tags(where + ".tags"); err != nil {
		return t, err
	}
	return t, t.Validate(where)
}

// tags are in an order of their own: a list that asks for the same is the same.
func (m manifestTags) tags(where string) (t cluster.Tags, err error) {
	if t.Require, err = cluster.ParseTags(where+".require", m.Require); err != nil {
		return t, err
	}
	t.Prefer, err = cluster.ParseTags(where+".prefer", m.Prefer)
	return t, err
}

// change sets what the file names and leaves the app's other limits alone.
func (r manifestRoute) change() (cluster.RequestLimitsChange, error) {
	var c cluster.RequestLimitsChange
	for _, key := range []struct {
		name, text string
		to         **time.Duration
	}{{"timeout", r.Timeout, &c.Timeout}, {"idle_timeout", r.IdleTimeout, &c.IdleTimeout}} {
		d, err := parseTime("aorta.yml: route."+key.name, key.text)
		if err != nil {
			return c, err
		}
		if d > 0 {
			*key.to = &d
		}
	}
	body, err := parseSize("aorta.yml: route.max_body", r.MaxBody)
	if err != nil {
		return c, err
	}
	if body > 0 {
		c.MaxBody = &body
	}
	return c, (cluster.RequestLimits{}).With(c).Validate("aorta.yml: route.")
}

func (h manifestHealth) health(where string) (cluster.Health, error) {
	out := cluster.Health{Path: h.Path}
	if h.Status != nil {
		if out.Status = *h.Status.asInt(); out.Status == 0 {
			return out, cluster.Invalid(where+".status", "0 is no status of an answer")
		}
	}
	var err error
	if out.StartTimeout, err = parseTime(where+".start_timeout", h.StartTimeout); err != nil {
		return out, err
	}
	out.Interval, err = parseTime(where+".interval", h.Interval)
	return out, err
}

// refuseUnsupported returns an error that names the first of these keys that is set.
func refuseUnsupported(prefix string, keys map[string]ast.Node) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if keys[key] == nil {
			continue
		}
		return cluster.Invalid(manifestName+": "+prefix+key, "not supported yet; remove it to deploy")
	}
	return nil
}

// parseSize parses 256m, 1.5g, 512MB, 512Mi or a number of bytes; empty is 0.
func parseSize(where, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, ok := size.Parse(text)
	if !ok {
		return 0, cluster.Invalid(where, "%q is not a size (such as 256m or 1.5g)", cluster.Clip(text))
	}
	if n == 0 {
		return 0, cluster.Invalid(where, "%q is nothing; leave the key out for the default", cluster.Clip(text))
	}
	return n, nil
}

// parseTime parses 30s or 2m; empty is 0.
func parseTime(where, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := duration.Parse(text)
	if err != nil || d <= 0 {
		return 0, cluster.Invalid(where, "%q is not a time (such as 30s or 2m)", cluster.Clip(text))
	}
	return d, nil
}
