package build

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"aorta/pacemaker/cluster"
)

// wrongValue is a value of aorta.yml that is not what its key takes.
type wrongValue struct {
	at   *token.Token
	want string
}

// Error names the key and the value as it is written.
func (w *wrongValue) Error() string {
	key := ""
	if colon := w.at.Prev; colon != nil && colon.Type == token.MappingValueType && colon.Prev != nil {
		key = cluster.Clip(colon.Prev.Value) + ": "
	}
	return fmt.Sprintf("%s%s is not %s", key, written(w.at), w.want)
}

// written is a value as it stands in the file, as far as it is one word.
func written(t *token.Token) string {
	switch t.Type {
	case token.SequenceStartType, token.SequenceEntryType:
		return "a list"
	case token.MappingStartType, token.MappingValueType:
		return "a mapping"
	}
	return fmt.Sprintf("%q", cluster.Clip(t.Value))
}

// decoded words what the decoder found wrong in one line, and says where.
func decoded(err error) (at *token.Token, text string) {
	wrong := new(wrongValue)
	typed := new(yaml.TypeError)
	node := new(yaml.UnexpectedNodeTypeError)
	unknown := new(yaml.UnknownFieldError)
	twice := new(yaml.DuplicateKeyError)
	syntax := new(yaml.SyntaxError)
	switch {
	case errors.As(err, &wrong):
		return wrong.at, wrong.Error()
	case errors.As(err, &typed) && typed.Token != nil:
		return typed.Token, (&wrongValue{typed.Token, kindOf(typed.DstType)}).Error()
	case errors.As(err, &node) && node.Token != nil:
		return node.Token, (&wrongValue{node.Token, shapeOf(node.Expected)}).Error()
	case errors.As(err, &unknown) && unknown.Token != nil:
		return unknown.Token, fmt.Sprintf("unknown key %q%s", cluster.Clip(unknown.Token.Value), meantKey(unknown.Token.Value))
	case errors.As(err, &twice) && twice.Token != nil:
		return twice.Token, fmt.Sprintf("the key %q stands there twice", cluster.Clip(twice.Token.Value))
	case errors.As(err, &syntax) && syntax.Token != nil:
		return syntax.Token, cluster.Clip(syntax.Message)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return nil, cluster.Clip(first)
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number (such as 0.5)"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list (such as [a, b])"
	}
	return "a mapping (such as {key: value})"
}

func shapeOf(t ast.NodeType) string {
	if t == ast.SequenceType {
		return "a list (such as [a, b])"
	}
	return "a mapping (such as {key: value})"
}
