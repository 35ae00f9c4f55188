package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What the kernel takes when a process starts: a string of its arguments or
// environment is at most MaxStartString long (MAX_ARG_STRLEN, less the NUL), all
// of them together a quarter of the stack, 2 MiB, with a pointer for each.
const (
	MaxStartString = 128<<10 - 1
	MaxStart       = 2 << 20
	// MaxEnvironment bounds an app's config vars together, in bytes. The rest of
	// MaxStart is left to the image's own environment, the platform's variables,
	// the command, and what the app adds for the programs that it starts itself.
	MaxEnvironment = 1 << 20
)

// MaxConfigVars is how many config vars an app may have: each costs time with each
// change, and in each release.
const MaxConfigVars = 1000

// StartSize is what a string of arguments or environment takes when a process
// starts, in bytes.
func StartSize(s string) int { return len(s) + 1 + 8 }

// EnvironmentSize is what config vars take when a process starts, in bytes.
func EnvironmentSize(vars map[string]string) int {
	total := 0
	for k, v := range vars {
		total += StartSize(k + "=" + v)
	}
	return total
}

// ValidateEnvironment refuses config vars that no process of the app could start
// with, with the numbers that help to choose what goes.
func ValidateEnvironment(field string, vars map[string]string) error {
	if err := ValidateConfigCount(field, len(vars)); err != nil {
		return err
	}
	total := EnvironmentSize(vars)
	if total <= MaxEnvironment {
		return nil
	}
	return Invalid(field, "the %d config vars would take %d bytes together; the limit is %d, since a process can't start with more. The largest are %s: put such data in a file of the image or in a store of its own",
		len(vars), total, MaxEnvironment, largest(vars))
}

// ValidateConfigCount refuses more config vars than an app may have.
func ValidateConfigCount(field string, n int) error {
	if n > MaxConfigVars {
		return Invalid(field, "%d config vars are too many; an app may have %d: put such data in a file of the image or in a store of its own", n, MaxConfigVars)
	}
	return nil
}

// largest names the three largest config vars with their sizes, never values.
func largest(vars map[string]string) string {
	keys := slices.SortedFunc(maps.Keys(vars), func(a, b string) int {
		if d := len(b) + len(vars[b]) - len(a) - len(vars[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var named []string
	for _, k := range keys[:min(3, len(keys))] {
		named = append(named, fmt.Sprintf("%s (%d)", k, StartSize(k+"="+vars[k])))
	}
	return strings.Join(named, ", ")
}
