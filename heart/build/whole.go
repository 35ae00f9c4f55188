package build

import (
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// whole is a whole number of aorta.yml, in decimal digits. The decoder would cut
// 1.5 to 1, and take 010 for eight.
type whole int64

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// UnmarshalYAML refuses a fraction, a text, another base, and what is too large.
func (w *whole) UnmarshalYAML(node ast.Node) error {
	at := node.GetToken()
	if number, ok := node.(*ast.IntegerNode); ok && decimal.MatchString(number.Token.Value) {
		if n, err := strconv.ParseInt(number.Token.Value, 10, 64); err == nil {
			*w = whole(n)
			return nil
		}
	}
	return &wrongValue{at, "a whole number in digits (such as 8)"}
}

// asInt is the number as an int, nil when there is none.
func (w *whole) asInt() *int {
	if w == nil {
		return nil
	}
	n := int(*w)
	return &n
}
