package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"aorta/pacemaker/cluster"
)

// Manifest is what aorta.yml says.
type Manifest struct {
	Processes []cluster.ProcessType // by name; without a command where the Procfile or the image has it
	Domains   []string
}

// manifestFile is the file's form. Keys that hold a node are known, but not
// supported yet: taking no notice of them would start an app without its
// volumes or its release command.
type manifestFile struct {
	Processes map[string]manifestProcess `yaml:"processes"`
	Domains   []string                   `yaml:"domains"`
	Release   ast.Node                   `yaml:"release"`
	Links     ast.Node                   `yaml:"links"`
	Cron      ast.Node                   `yaml:"cron"`
}

type manifestProcess struct {
	Command   string          `yaml:"command"`
	Quantity  *int            `yaml:"quantity"`
	Memory    string          `yaml:"memory"`
	CPUs      float64         `yaml:"cpus"`
	StopGrace string          `yaml:"stop_grace"`
	Health    *manifestHealth `yaml:"health"`
	Tags      ast.Node        `yaml:"tags"`
	Protocol  ast.Node        `yaml:"protocol"`
	Port      ast.Node        `yaml:"port"`
	Exclusive ast.Node        `yaml:"exclusive"`
	Volumes   ast.Node        `yaml:"volumes"`
}

type manifestHealth struct {
	Path         string `yaml:"path"`
	Status       int    `yaml:"status"`
	StartTimeout string `yaml:"start_timeout"`
	Interval     string `yaml:"interval"`
}

// ParseManifest reads aorta.yml strictly: an unknown key is an error that names
// it and its line.
func ParseManifest(data []byte) (Manifest, error) {
	var file manifestFile
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&file)
	if err != nil && !errors.Is(err, io.EOF) {
		return Manifest{}, cluster.Invalid("aorta.yml", "%s", oneLine(err))
	}
	if err := refuseLater("", map[string]ast.Node{"release": file.Release, "links": file.Links, "cron": file.Cron}); err != nil {
		return Manifest{}, err
	}
	m := Manifest{Domains: file.Domains}
	for i, host := range file.Domains {
		if err := cluster.ValidateHost(fmt.Sprintf("aorta.yml: domains[%d]", i), host); err != nil {
			return Manifest{}, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(file.Processes)) {
		p, err := file.Processes[name].processType(name)
		if err != nil {
			return Manifest{}, err
		}
		m.Processes = append(m.Processes, p)
	}
	return m, nil
}

func (p manifestProcess) processType(name string) (cluster.ProcessType, error) {
	where := "aorta.yml: processes." + clip(name)
	later := map[string]ast.Node{"tags": p.Tags, "protocol": p.Protocol, "port": p.Port, "exclusive": p.Exclusive, "volumes": p.Volumes}
	if err := refuseLater("processes."+clip(name)+".", later); err != nil {
		return cluster.ProcessType{}, err
	}
	t := cluster.ProcessType{Name: name, Command: p.Command, Quantity: p.Quantity, Limits: cluster.Limits{CPUs: p.CPUs}}
	if p.Command != "" {
		if err := validateCommand(where+".command", p.Command); err != nil {
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
	return t, t.Validate(where)
}

func (h manifestHealth) health(where string) (cluster.Health, error) {
	out := cluster.Health{Path: h.Path, Status: h.Status}
	var err error
	if out.StartTimeout, err = parseTime(where+".start_timeout", h.StartTimeout); err != nil {
		return out, err
	}
	out.Interval, err = parseTime(where+".interval", h.Interval)
	return out, err
}

// refuseLater names the first key, by its line, that is not supported yet.
func refuseLater(prefix string, keys map[string]ast.Node) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		node := keys[key]
		if node == nil {
			continue
		}
		line := 0
		if t := node.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
		return cluster.Invalid(fmt.Sprintf("aorta.yml:%d", line), "%s%s is not supported yet; remove it to deploy", prefix, key)
	}
	return nil
}

var sizePattern = regexp.MustCompile(`^([0-9]{1,9})([bkmgBKMG]?)$`)

// parseSize reads 256m, 1g, 512k or a plain number of bytes; empty is 0.
func parseSize(where, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	found := sizePattern.FindStringSubmatch(text)
	if found == nil {
		return 0, cluster.Invalid(where, "%q is not a size (such as 256m or 1g)", clip(text))
	}
	n, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return 0, cluster.Invalid(where, "%q is not a size (such as 256m or 1g)", clip(text))
	}
	shift := map[string]uint{"k": 10, "m": 20, "g": 30}[strings.ToLower(found[2])]
	return n << shift, nil
}

// parseTime reads 30s or 2m; empty is 0.
func parseTime(where, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, cluster.Invalid(where, "%q is not a time (such as 30s or 2m)", clip(text))
	}
	return d, nil
}

// oneLine takes the message of a YAML error, which has its position in front,
// and leaves out the picture of the source below it.
func oneLine(err error) string {
	first, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return clip(first)
}
