package main

import (
	"strconv"
	"strings"
)

// units are the suffixes of sizes, in powers of 1024, as Docker counts memory.
var units = []struct {
	ending string
	size   int64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"kb", 1 << 10},
	{"mb", 1 << 20},
	{"gb", 1 << 30},
	{"k", 1 << 10},
	{"m", 1 << 20},
	{"g", 1 << 30},
	{"b", 1},
}

// parseBytes parses a size such as 256m, 1.5g or 1048576.
func parseBytes(s string) (int64, error) {
	number, unit := strings.ToLower(s), int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, u.ending); ok {
			number, unit = n, u.size
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !(f*float64(unit) >= 1 && f*float64(unit) <= 1<<60) || strings.ContainsAny(number, "xpe_in+") {
		return 0, usagef("%q is not a size (such as 256m or 1.5g)", clean(s))
	}
	return int64(f * float64(unit)), nil
}
