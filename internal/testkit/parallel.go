package testkit

import (
	"flag"
	"strconv"
)

// Parallel lets n tests of a package run at a time, unless -parallel says
// otherwise: tests that wait more than they work may be more than the cores.
// It belongs into TestMain, and parses the flags.
func Parallel(n int) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(n))
	}
}
