package rest

import (
	"github.com/danielgtaylor/huma/v2"

	"aorta/internal/strictjson"
)

// maxDepth is how deep a body's lists and objects may be nested.
const maxDepth = 32

// How many values a body may have. A Bulk is read as what it is to be alone, and needs
// less memory for each.
const (
	maxValues     = 100_000
	maxBulkValues = 400_000
)

// Bulk is a body that is much and comes often. It is read once, as what it is to be:
// by itself if it has its usual form, else as all others. Its handler checks the values.
type Bulk interface{ ReadUsual(data []byte) bool }

// formats are those of bodies: JSON, of which nothing is read in two ways.
func formats() map[string]huma.Format {
	strict := huma.DefaultJSONFormat
	strict.Unmarshal = func(data []byte, v any) error {
		bulk, once := v.(Bulk)
		if once && bulk.ReadUsual(data) {
			return nil
		}
		// Each other body is read twice: as anything at all, to be checked, and then
		// as what it is to be.
		values := maxValues
		if once {
			values = maxBulkValues
		}
		if _, first := v.(*any); first || once {
			if err := strictjson.Check(data, maxDepth, values); err != nil {
				return err
			}
		}
		return huma.DefaultJSONFormat.Unmarshal(data, v)
	}
	return map[string]huma.Format{"application/json": strict, "json": strict}
}
