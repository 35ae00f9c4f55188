package config

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"aorta/pacemaker/cluster"
)

// prefix begins the names of all variables.
const prefix = "AORTAD_"

// readEnvironment reads the variables over the configuration and adds what is wrong
// in them.
func readEnvironment(environ map[string]string, cfg *Config, all *mistakes) {
	err := env.ParseWithOptions(cfg, env.Options{Prefix: prefix, Environment: environ})
	var several env.AggregateError
	if !errors.As(err, &several) {
		return
	}
	for _, err := range several.Errors {
		var wrong env.ParseError
		if !errors.As(err, &wrong) {
			all.add(cluster.Invalid("", "read the %s… variables: %v", prefix, err))
			continue
		}
		for _, o := range options() {
			if o.field() == wrong.Name {
				all.add(cluster.Invalid(o.key, "%q is not %s (%s)", environ[o.variable()], o.wants(), o.variable()))
			}
		}
	}
}

// UnknownVariables says of each AORTAD_… variable that nobody reads that it is none.
func UnknownVariables(environ map[string]string) []string {
	var says []string
	for _, name := range slices.Sorted(maps.Keys(environ)) {
		key, ours := strings.CutPrefix(name, prefix)
		known := slices.ContainsFunc(options(), func(o option) bool { return o.variable() == name })
		if ours && !known && key != "CRASH_AT" { // which tests set
			text := name + " is no option's variable"
			if o, near := nearest(strings.ToLower(key)); near {
				text += "; did you mean " + o.variable() + "?"
			}
			says = append(says, text)
		}
	}
	return says
}
