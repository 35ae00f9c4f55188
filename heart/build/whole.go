package build

import (
	"github.com/goccy/go-yaml/ast"

	"aorta/internal/wholenumber"
)

// whole is a whole number of aorta.yml.
type whole int64

// UnmarshalYAML refuses also a text that looks like one.
func (w *whole) UnmarshalYAML(node ast.Node) error {
	if number, is := node.(*ast.IntegerNode); is {
		if n, ok := wholenumber.Parse(number.Token.Value); ok {
			*w = whole(n)
			return nil
		}
	}
	return &wrongValue{node.GetToken(), wholenumber.Form}
}

// asInt is the number as an int, nil when there is none.
func (w *whole) asInt() *int {
	if w == nil {
		return nil
	}
	n := int(*w)
	return &n
}
