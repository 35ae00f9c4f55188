package main

import (
	"fmt"
	"time"
)

// aim is a figure to reach.
type aim struct {
	what, got, want string
	met             bool
}

func printAims(aims []aim) {
	if len(aims) == 0 {
		return
	}
	fmt.Println("== aims")
	for _, a := range aims {
		word := "missed"
		if a.met {
			word = "met"
		}
		fmt.Printf("%-6s  %s: %s (aim %s)\n", word, a.what, a.got, a.want)
	}
}

// quantile of sorted durations, by the nearest rank below, in percent.
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)].Round(time.Microsecond)
}

func show(what string, sorted []time.Duration) {
	fmt.Printf("%s: p50 %s  p99 %s  max %s  (%d jobs)\n", what,
		quantile(sorted, 50), quantile(sorted, 99), quantile(sorted, 100), len(sorted))
}
