package build

import (
	"encoding/json"

	"aorta/pacemaker/cluster"
)

// ParseAppJSON reads the quantities that app.json's formation asks for, by
// process type. The rest of the file belongs to others and is left alone.
func ParseAppJSON(data []byte) (map[string]int, error) {
	var file struct {
		Formation map[string]struct {
			Quantity *int `json:"quantity"`
		} `json:"formation"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
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
