// Package duration reads and writes durations as people do.
package duration

import (
	"strconv"
	"strings"
	"time"
)

// Parse reads a duration as people write it: as Go does (1h30m), or in days (7d).
func Parse(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	return time.ParseDuration(text)
}

// Text is a duration without the zeros that Go writes: 5m, 1h, 1h30m, 90 seconds
// as 1m30s, 0s.
func Text(d time.Duration) string {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
