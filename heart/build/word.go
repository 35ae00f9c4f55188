package build

import "github.com/goccy/go-yaml/ast"

// word is a text of aorta.yml that stands for something: a number or a truth value
// that YAML reads in its place is somebody's mistake.
type word string

// UnmarshalYAML takes texts alone.
func (w *word) UnmarshalYAML(node ast.Node) error {
	switch n := node.(type) {
	case *ast.StringNode:
		*w = word(n.Value)
		return nil
	case *ast.LiteralNode:
		*w = word(n.Value.Value)
		return nil
	case *ast.SequenceNode, *ast.MappingNode, *ast.MappingValueNode:
		return &wrongValue{node.GetToken(), "a text"}
	}
	return &wrongValue{node.GetToken(), "a text (put it in quotes)"}
}
