package config

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"aorta/internal/wholenumber"
	"aorta/pacemaker/cluster"
)

// file is a configuration file while it is read.
type file struct {
	path string
	cfg  *Config
	all  *mistakes
}

// readFile reads a file over the configuration and adds what is wrong in it. A
// file of which nothing can be read is an error of its own.
func readFile(path string, cfg *Config, all *mistakes) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return cluster.Invalid("", "read the configuration: %v", err)
	}
	parsed, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return cluster.Invalid("", "%s: %s", path, yaml.FormatError(err, false, !holdsSecret(raw)))
	}
	if len(parsed.Docs) > 1 {
		return cluster.Invalid("", "%s: a second document begins, which nobody would read; put all into one", path)
	}
	f := &file{path: path, cfg: cfg, all: all}
	for _, doc := range parsed.Docs {
		if err := f.document(doc.Body); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) document(body ast.Node) error {
	switch body := body.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode:
	case ast.MapNode:
		for pair := body.MapRange(); pair.Next(); {
			f.set(pair.Key(), pair.Value())
		}
	default:
		return cluster.Invalid("", "%s: these are no options, in lines like listen: 127.0.0.1:7420", f.at(body))
	}
	return nil
}

// set reads the value of one key.
func (f *file) set(key ast.MapKeyNode, value ast.Node) {
	name := key.GetToken().Value
	all := options()
	i := slices.IndexFunc(all, func(o option) bool { return o.key == name })
	if i < 0 {
		says := "is no option"
		if o, near := nearest(name); near {
			says += "; did you mean " + o.key + "?"
		}
		f.wrong(name, key, says)
		return
	}
	o := all[i]
	text := value.GetToken().Value
	_, whole := wholenumber.Parse(text)
	inexact := o.kind == reflect.TypeFor[int]() && !whole // of which the decoder would make another number
	if err := yaml.NodeToValue(value, reflect.ValueOf(f.cfg).Elem().FieldByIndex(o.index).Addr().Interface()); err != nil || inexact {
		says := "is not " + o.wants()
		if _, scalar := value.(ast.ScalarNode); scalar && !o.secret(text) {
			says = fmt.Sprintf("%q %s", text, says)
		}
		f.wrong(name, value, says)
	}
}

func (f *file) wrong(key string, where ast.Node, says string) {
	f.all.add(&cluster.Error{Code: cluster.CodeInvalid, Field: key, Message: fmt.Sprintf("%s (%s)", says, f.at(where))})
}

// at is where a node stands: file, line and column.
func (f *file) at(n ast.Node) string {
	p := n.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", f.path, p.Line, p.Column)
}

// holdsSecret says whether the lines of a file must not be shown: those around
// the wrong one may hold a log-in.
func holdsSecret(raw []byte) bool {
	return bytes.Contains(raw, []byte("jobs_redis_url")) || bytes.Contains(raw, []byte("@"))
}
