package buildkit

import (
	"bytes"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

// Named is what a Dockerfile takes from elsewhere, as far as its text says so:
// what stands in a variable of a base image is not seen, nor what that does by
// ONBUILD.
type Named struct {
	URLs   []string // of ADD
	Images []string // of FROM and COPY --from
}

// MaxInstructions is how many a Dockerfile may have. An image has 127 layers at
// most, and BuildKit's work goes with the square of their number.
const MaxInstructions = 1000

// CheckSize refuses a Dockerfile that is too long.
func CheckSize(r dockerfile.Recipe) error {
	parsed, err := parser.Parse(bytes.NewReader(r.Text))
	if err != nil {
		return nil // the frontend says what is wrong with it
	}
	if n := len(parsed.AST.Children); n > MaxInstructions {
		return cluster.Invalid(r.Dockerfile, "has %d instructions; at most %d are built (join RUN and COPY lines, or build a base image elsewhere)", n, MaxInstructions)
	}
	return nil
}

// CheckPlain refuses a Dockerfile with heredocs, for a builder that takes each of
// their lines for an instruction.
func CheckPlain(r dockerfile.Recipe) error {
	parsed, err := parser.Parse(bytes.NewReader(r.Text))
	if err != nil {
		return nil // the engine says what is wrong with it
	}
	for _, step := range parsed.AST.Children {
		if len(step.Heredocs) > 0 {
			return cluster.Invalid(r.Dockerfile, "has a heredoc in line %d, which needs BuildKit (write the commands in one RUN, a file into the source, or build on an engine that has BuildKit)", step.StartLine)
		}
	}
	return nil
}

// NamesOf reads a Dockerfile. One that can't be read names nothing: the engine
// says what is wrong with it.
func NamesOf(r dockerfile.Recipe) Named {
	var n Named
	parsed, err := parser.Parse(bytes.NewReader(r.Text))
	if err != nil {
		return n
	}
	stages, globals, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return n
	}
	outside := variables{}
	for _, arg := range globals {
		outside.declare(arg, r.Args, nil)
	}
	before := map[string]bool{"": true, "scratch": true}
	for _, stage := range stages {
		n.image(outside, stage.BaseName, before)
		n.stage(stage, r.Args, outside, before)
		before[strings.ToLower(stage.Name)] = true
	}
	return n
}

func (n *Named) stage(s instructions.Stage, args map[string]string, outside variables, before map[string]bool) {
	inside := variables{}
	for _, c := range s.Commands {
		switch c := c.(type) {
		case *instructions.ArgCommand:
			inside.declare(*c, args, outside)
		case *instructions.EnvCommand:
			for _, kv := range c.Env {
				if value, known := inside.expand(kv.Value); known {
					inside[kv.Key] = value
				}
			}
		case *instructions.CopyCommand:
			if strings.Trim(c.From, "0123456789") != "" { // else the number of a stage, or none
				n.image(inside, c.From, before)
			}
		case *instructions.AddCommand:
			for _, path := range c.SourcePaths {
				if path, known := inside.expand(path); known && (strings.Contains(path, "://") || strings.HasPrefix(path, "git@")) {
					n.URLs = append(n.URLs, path)
				}
			}
		}
	}
}

// image notes an image, unless the name is that of a stage before.
func (n *Named) image(v variables, name string, before map[string]bool) {
	if name, known := v.expand(name); known && !before[strings.ToLower(name)] {
		n.Images = append(n.Images, name)
	}
}

// variables are those of a Dockerfile that have a value in it.
type variables map[string]string

// declare takes an ARG: what it is given from outside counts before its default.
func (v variables) declare(arg instructions.ArgCommand, given map[string]string, outside variables) {
	for _, a := range arg.Args {
		if value, ok := given[a.Key]; ok {
			v[a.Key] = value
		} else if a.Value != nil {
			if value, known := v.expand(*a.Value); known {
				v[a.Key] = value
			}
		} else if value, ok := outside[a.Key]; ok {
			v[a.Key] = value
		}
	}
}

// expand puts values in; known is false when one is missing.
func (v variables) expand(text string) (expanded string, known bool) {
	known = true
	expanded = os.Expand(text, func(name string) string {
		name, otherwise, has := strings.Cut(name, ":-")
		value, ok := v[name]
		if has && value == "" {
			value, ok = otherwise, true
		}
		known = known && ok
		return value
	})
	return expanded, known
}
