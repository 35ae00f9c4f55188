// Package duration writes durations as people do.
package duration

import (
	"strings"
	"time"
)

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
