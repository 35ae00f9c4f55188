package build

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"aorta/pacemaker/cluster"
)

// manifestContainer are the keys that say what a container may do. They stand in
// a process type, or outside for all that do not have the key themselves.
type manifestContainer struct {
	CapDrop  *[]string         `yaml:"cap_drop"`
	CapAdd   ast.Node          `yaml:"cap_add"` // refused
	ReadOnly *bool             `yaml:"read_only"`
	Tmpfs    *oneOrMore        `yaml:"tmpfs"`
	Ulimits  *map[string]whole `yaml:"ulimits"`
	ShmSize  *string           `yaml:"shm_size"`
	Disk     *string           `yaml:"disk"`
}

// oneOrMore is a list, or its one text.
type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return unmarshal((*[]string)(o))
}

// options are the keys' values, and those of otherwise where a key is missing.
func (c manifestContainer) options(where string, otherwise cluster.ContainerOptions) (cluster.ContainerOptions, error) {
	o := otherwise
	if c.CapAdd != nil {
		return o, cluster.Invalid(where+"cap_add", "an app can't give itself rights; an admin can give it some (aorta apps grant APP NET_RAW)")
	}
	if c.CapDrop != nil {
		o.CapDrop = nil
		for _, name := range *c.CapDrop {
			o.CapDrop = append(o.CapDrop, cluster.CapabilityName(name))
		}
		slices.Sort(o.CapDrop)
		o.CapDrop = slices.Compact(o.CapDrop)
	}
	if c.ReadOnly != nil {
		o.ReadOnly = *c.ReadOnly
	}
	if c.Ulimits != nil {
		o.Ulimits = map[string]int64{}
		for name, n := range *c.Ulimits {
			o.Ulimits[name] = int64(n)
		}
	}
	var err error
	if c.ShmSize != nil {
		if o.ShmSize, err = parseSize(where+"shm_size", *c.ShmSize); err != nil {
			return o, err
		}
	}
	if c.Disk != nil {
		if o.Disk, err = parseSize(where+"disk", *c.Disk); err != nil {
			return o, err
		}
	}
	if c.Tmpfs != nil {
		if o.Tmpfs, err = parseTmpfs(where+"tmpfs", *c.Tmpfs); err != nil {
			return o, err
		}
	}
	return o, o.Validate(where)
}

// parseTmpfs reads /tmp and /run:size=16m.
func parseTmpfs(where string, list []string) ([]cluster.Tmpfs, error) {
	var all []cluster.Tmpfs
	for _, text := range list {
		path, option, more := strings.Cut(text, ":")
		t := cluster.Tmpfs{Path: "/" + strings.Trim(path, "/")}
		if !strings.HasPrefix(path, "/") {
			t.Path = path
		}
		if more {
			bytes, ok := strings.CutPrefix(option, "size=")
			if !ok {
				return nil, cluster.Invalid(where, "%q: of options there is size alone (such as /run:size=16m)", cluster.Clip(text))
			}
			n, err := parseSize(where, bytes)
			if err != nil {
				return nil, err
			}
			t.Size = n
		}
		all = append(all, t)
	}
	return all, nil
}
