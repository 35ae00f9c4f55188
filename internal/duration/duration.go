// Package duration reads and writes durations as people do.
package duration

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// units are what people call spans of time, longer than Go does.
var units = map[string]time.Duration{
	"sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

var part = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(\pL+) ?`)

// Parse reads a duration as people write it: as Go does (1h30m), in days or weeks (7d,
// 1d12h, 2w), or in words (30 sec, 10min, 2 hours). A number without a unit is none: it
// is seconds to some and minutes to others.
func Parse(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	var sum float64
	rest := strings.ToLower(text)
	for rest != "" {
		found := part.FindStringSubmatch(rest)
		if found == nil {
			return 0, fmt.Errorf("%.40q is not a duration (such as 90s, 2h or 7d)", text)
		}
		unit, known := units[found[2]]
		if !known {
			var err error
			if unit, err = time.ParseDuration("1" + found[2]); err != nil {
				return 0, fmt.Errorf("%.40q is not a duration: %.20q is no unit of time", text, found[2])
			}
		}
		n, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return 0, fmt.Errorf("read the duration %.40q: %w", text, err)
		}
		if sum += n * float64(unit); sum >= math.MaxInt64 {
			return 0, fmt.Errorf("%.40q is too long", text)
		}
		rest = rest[len(found[0]):]
	}
	if text == "" {
		return 0, fmt.Errorf("%q is not a duration (such as 90s, 2h or 7d)", text)
	}
	return time.Duration(sum), nil
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
