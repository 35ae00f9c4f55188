package build

import (
	"github.com/goccy/go-yaml/ast"

	"aorta/internal/size"
)

// cores are CPU cores of aorta.yml, as a number or as thousandths in a text (500m).
type cores float64

// UnmarshalYAML takes what the client's --cpus does.
func (c *cores) UnmarshalYAML(node ast.Node) error {
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		if n, ok := size.Cores(node.GetToken().Value); ok {
			*c = cores(n)
			return nil
		}
	}
	return &wrongValue{node.GetToken(), "a number of CPU cores (such as 0.5 or 500m)"}
}
