package rest

import (
	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/strictjson"
	"aorta/pacemaker/cluster"
)

// maxDepth is how deep a body's lists and objects may be nested.
const maxDepth = 32

// CheckBulk asks of a body that is read once what is asked of each.
func CheckBulk(body []byte) error {
	if err := strictjson.Check(body, maxDepth); err != nil {
		return cluster.Invalid("body", "%v", err)
	}
	return nil
}

// formats are those of bodies: JSON, of which nothing is read in two ways.
func formats() map[string]huma.Format {
	strict := huma.DefaultJSONFormat
	strict.Unmarshal = func(data []byte, v any) error {
		// Each body that is no bulk is read twice: as anything at all, to be checked,
		// and then as what it is to be.
		if _, first := v.(*any); first {
			if err := strictjson.Check(data, maxDepth); err != nil {
				return err
			}
		}
		return huma.DefaultJSONFormat.Unmarshal(data, v)
	}
	return map[string]huma.Format{"application/json": strict, "json": strict}
}
