// Package race says how everything is built that runs under the race detector,
// so that one build cache serves the tests, the programs that they start, and
// the linters that load the same packages. The Makefile reads the same file.
package race

import (
	_ "embed"
	"strings"
)

//go:embed flags
var flags string

// Flags are those of go build and go test. All is watched but SQLite's C code in
// Go: none of our memory is touched in there, its driver is watched, and with it
// the tests of the store took three times the processor time. Go in which others
// share generic code, such as that of sync.Map, can't be left out: the linker may
// take its unwatched copy for all, and what that orders is then reported as races.
func Flags() []string { return strings.Fields(flags) }
