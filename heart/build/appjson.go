package build

import (
	"encoding/json"

	"aorta/internal/strictjson"
	"aorta/pacemaker/cluster"
)

// ParseAppJSON returns the quantities in app.json's formation by process type.
// Other keys of the file are ignored: they are meant for other platforms.
func ParseAppJSON(data []byte) (map[string]int, error) {
	var file struct {
		Formation map[string]struct {
			Quantity *int `json:"quantity"`
		} `json:"formation"`
	}
	err := strictjson.Check(data, maxNesting)
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil {
		return nil, cluster.Invalid("app.json", "%v", err)
	}
	wanted := map[string]int{}
	for name, f := range file.Formation {
		if err := cluster.ValidateName("app.json: formation", name); err != nil {
			return nil, err
		}
		if f.Quantity == nil {
			continue
		}
		if err := cluster.ValidateQuantity("app.json: formation."+name+".quantity", *f.Quantity); err != nil {
			return nil, err
		}
		wanted[name] = *f.Quantity
	}
	return wanted, nil
}
