package build

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"aorta/pacemaker/cluster"
)

// BuildKey is the build: key of aorta.yml. Paths are clean and below the root of
// the source.
type BuildKey struct {
	Dockerfile string // empty for the Dockerfile of the context
	Context    string // empty for the whole source
	Target     string // the stage to build, empty for the last
	Args       map[string]string
}

// buildFile is its schema. Values of arguments are taken as they are written: a
// version of 3.10 is no number.
type buildFile struct {
	Dockerfile word                `yaml:"dockerfile"`
	Context    word                `yaml:"context"`
	Target     word                `yaml:"target"`
	Args       map[string]ast.Node `yaml:"args"`
}

// Limits of build args, so that a command line and an image's history stay
// readable.
const (
	maxArgs      = 100
	maxArgLength = 32 << 10
)

var (
	argName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	stageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
)

// parseBuild parses the section; nil is an empty one.
func parseBuild(node ast.Node) (BuildKey, error) {
	if node == nil {
		return BuildKey{}, nil
	}
	var f buildFile
	if err := yaml.NodeToValue(node, &f, yaml.Strict()); err != nil {
		return BuildKey{}, err
	}
	return f.key()
}

// key checks the file's section.
func (f buildFile) key() (BuildKey, error) {
	k := BuildKey{Target: string(f.Target)}
	var err error
	if k.Dockerfile, err = k.inside("dockerfile", string(f.Dockerfile)); err != nil {
		return k, err
	}
	if k.Context, err = k.inside("context", string(f.Context)); err != nil {
		return k, err
	}
	if k.Dockerfile == "." {
		return k, k.fault("dockerfile", "%q is the source itself; name a file (such as docker/Dockerfile.prod)", f.Dockerfile)
	}
	if f.Target != "" && !stageName.MatchString(k.Target) {
		return k, k.fault("target", "%q is not the name of a stage (FROM … AS name)", cluster.Clip(k.Target))
	}
	k.Args, err = k.args(f.Args)
	return k, err
}

// inside cleans a path and refuses one that leads out of the source.
func (k BuildKey) inside(name, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	clean := path.Clean(value)
	if path.IsAbs(value) || !staysInside(clean) || len(value) > 1024 {
		return "", k.fault(name, "%q leads out of the source; paths are relative to its root", cluster.Clip(value))
	}
	return clean, nil
}

func (k BuildKey) args(given map[string]ast.Node) (map[string]string, error) {
	if len(given) > maxArgs {
		return nil, k.fault("args", "there are %d; the limit is %d", len(given), maxArgs)
	}
	args := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		where := "args." + cluster.Clip(name)
		switch {
		case !argName.MatchString(name):
			return nil, k.fault(where, "is not a name (letters, digits and _, such as NODE_ENV)")
		case strings.HasPrefix(name, "BUILDKIT_"):
			return nil, k.fault(where, "names that begin with BUILDKIT_ are settings of the builder and can't be given")
		}
		text, ok := scalar(given[name])
		if !ok {
			return nil, k.fault(where, "its value is not text")
		}
		args[name] = text
		if len(args[name]) > maxArgLength || strings.ContainsRune(args[name], 0) {
			return nil, k.fault(where, "its value is longer than %d bytes, or holds a zero byte", maxArgLength)
		}
	}
	return args, nil
}

// scalar is the text of a plain, quoted or block value.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.LiteralNode:
		return n.Value.Value, true
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// fault is an error that names the file and the key.
func (k BuildKey) fault(key, format string, args ...any) error {
	return cluster.Invalid(manifestName+": build."+key, format, args...)
}
