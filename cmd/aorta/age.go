package main

import (
	"fmt"
	"time"

	"aorta/internal/duration"

	"aorta/pacemaker/steps"
)

// age formats how long ago t was.
func age(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if d := now.Sub(t); d >= time.Second {
		return span(d) + " ago"
	}
	return "now"
}

func ageOf(now time.Time, t *time.Time) string {
	if t == nil {
		return ""
	}
	return age(now, *t)
}

// span formats a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	}
	return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
}

// took formats the time between two moments.
func took(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return steps.Took(to.Sub(*from))
}

// parseSpan parses a positive duration: 90s, 2h, 7d.
func parseSpan(s string) (time.Duration, error) {
	d, err := duration.Parse(s)
	if err != nil || d <= 0 {
		return 0, usagef("%q is not a duration (such as 90s, 2h or 7d)", clean(s))
	}
	return d, nil
}

// parseSince parses a duration or a time and returns it in the API's form. A time
// without a zone is in the local one; one without a day is its last at now.
func parseSince(s string, now time.Time) (string, error) {
	if s == "" {
		return "", nil
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return s, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t.Format(time.RFC3339), nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return lastAt(t, now).Format(time.RFC3339), nil
		}
	}
	d, err := parseSpan(s)
	if err != nil {
		return "", usagef("%q is neither a duration (such as 2h) nor a time (such as 15:04, or 2026-01-02T15:04:05Z)", clean(s))
	}
	return d.String(), nil
}

// lastAt is when it was that time of day last.
func lastAt(clock, now time.Time) time.Time {
	y, m, d := now.Date()
	at := time.Date(y, m, d, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
	if at.After(now) {
		return time.Date(y, m, d-1, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
	}
	return at
}
