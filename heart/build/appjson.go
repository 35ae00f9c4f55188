package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"aorta/internal/strictjson"
	"aorta/pacemaker/cluster"
)

// forOthers are keys of app.json that do something on other platforms and nothing
// here. Those that describe an app are for people.
var forOthers = []string{"addons", "buildpacks", "env", "environments", "scripts", "stack"}

// ParseAppJSON returns the quantities in app.json's formation by process type, and
// which of the file's other keys somebody may expect to do something.
func ParseAppJSON(data []byte) (wanted map[string]int, unused []string, err error) {
	var file struct {
		Formation map[string]struct {
			Quantity *int `json:"quantity"`
		} `json:"formation"`
	}
	if err := strictjson.Check(data, maxNesting, 100_000); err != nil {
		return nil, nil, mistakes{inJSON(data, err)}.err()
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, nil, mistakes{inJSON(data, err)}.err()
	}
	wanted = map[string]int{}
	var wrong mistakes
	for _, name := range slices.Sorted(maps.Keys(file.Formation)) {
		quantity := file.Formation[name].Quantity
		err := cluster.ValidateName("formation", name)
		if err == nil && quantity != nil {
			err = cluster.ValidateQuantity("formation."+name+".quantity", *quantity)
			wanted[name] = *quantity
		}
		if err != nil && len(wrong) < maxMistakes {
			wrong = append(wrong, keyOf(data, name, err))
		}
	}
	var keys map[string]json.RawMessage
	_ = json.Unmarshal(data, &keys) // it was read above
	for _, key := range forOthers {
		if _, has := keys[key]; has {
			unused = append(unused, key)
		}
	}
	return wanted, unused, wrong.inOrder().err()
}

// inJSON is an error of the decoder with the place that it names.
func inJSON(data []byte, err error) mistake {
	m := mistake{file: appJSONName, text: strings.TrimPrefix(err.Error(), "json: ")}
	syntax, typed := new(json.SyntaxError), new(json.UnmarshalTypeError)
	switch {
	case errors.As(err, &syntax):
		m.place(data, int(syntax.Offset)-1)
	case errors.As(err, &typed):
		m.key, m.text = typed.Field, "its value is "+typed.Value+", which it can't be"
		m.place(data, int(typed.Offset)-1)
	}
	return m
}

// keyOf is what is wrong with a process type of the formation.
func keyOf(data []byte, name string, err error) mistake {
	m := mistake{file: appJSONName, text: err.Error()}
	quoted, _ := json.Marshal(name) // a text: it can't fail
	if from := bytes.Index(data, []byte(`"formation"`)); from >= 0 {
		if at := bytes.Index(data[from:], quoted); at >= 0 {
			m.place(data, from+at)
		}
	}
	return m
}

// place notes where a byte of the file is.
func (m *mistake) place(data []byte, at int) {
	before := data[:min(max(at, 0), len(data))]
	m.line = 1 + bytes.Count(before, []byte("\n"))
	m.column = 1 + len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:])))
}
