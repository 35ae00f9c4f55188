package config

import (
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/goccy/go-yaml"

	"aorta/internal/atomicfile"
)

// Write keeps what differs from the defaults in a file, which Load reads: the
// configuration of a node that was given it once, by flags.
func (c Config) Write(path string) error {
	given, unsaid := reflect.ValueOf(c), reflect.ValueOf(Default())
	var lines yaml.MapSlice
	for _, o := range options() {
		value := given.FieldByIndex(o.index)
		follows := o.key == "data_dir" || o.key == "run_dir" && c.RunDir == DefaultRunDir(c.DataDir)
		if follows || reflect.DeepEqual(value.Interface(), unsaid.FieldByIndex(o.index).Interface()) {
			continue
		}
		lines = append(lines, yaml.MapItem{Key: o.key, Value: plain(value)})
	}
	raw, err := yaml.Marshal(lines)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return atomicfile.Write(path, append([]byte("# Written when this machine joined. Flags and AORTAD_… variables go before it.\n"), raw...), os.FileMode(0o600))
}

// plain is a value as a file has it.
func plain(v reflect.Value) any {
	switch at := v.Interface().(type) {
	case time.Duration:
		return at.String()
	case Secret:
		return string(at)
	default:
		return at
	}
}
