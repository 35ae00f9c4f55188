package accesslog

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// record is a line as encoding/json sees it.
type record struct {
	Time           json.Number `json:"time"`
	Status         status      `json:"status"`
	Bytes          json.Number `json:"bytes"`
	Seconds        json.Number `json:"seconds"`
	UpstreamTimes  string      `json:"upstream_seconds"`
	UpstreamStatus string      `json:"upstream_status"`
	Host           string      `json:"host"`
	App            string      `json:"app"`
	Release        string      `json:"release"`
	Type           string      `json:"type"`
	Instance       string      `json:"instance"`
	Node           string      `json:"node"`
	Tried          []string    `json:"tried"`
	Router         string      `json:"router"`
}

// status is a number from 100 on, or three digits in quotes.
type status struct {
	code  int
	known bool
}

func (s *status) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		n, ok := quotedStatus(text)
		*s = status{int(n), ok}
		return nil
	}
	n, ok := scaled(json.Number(raw), 1, integer)
	*s = status{int(n), ok && n >= 100 && n <= 999}
	return nil
}

// parseSlow reads any JSON object with a time and a status. Invalid UTF-8 is
// replaced by U+FFFD.
func parseSlow(text string, l *Line) error {
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	*l = Line{
		UpstreamTimes: r.UpstreamTimes, UpstreamStatus: r.UpstreamStatus,
		Host: r.Host, App: r.App, Release: r.Release, Type: r.Type,
		Instance: r.Instance, Node: r.Node, Tried: r.Tried, Router: r.Router,
	}
	var ok [3]bool
	l.Time, ok[0] = scaled(r.Time, 1e9, decimal)
	l.Bytes, ok[1] = orZero(r.Bytes, 1, integer)
	l.Nanoseconds, ok[2] = orZero(r.Seconds, 1e9, decimal)
	if ok != [3]bool{true, true, true} || !r.Status.known {
		return fmt.Errorf("%w: time %q, bytes %q, seconds %q", ErrMalformed, r.Time, r.Bytes, r.Seconds)
	}
	l.Status = r.Status.code
	return nil
}

// scaled reads a number as the fast way does, else as a float in that unit.
func scaled(n json.Number, unit float64, read func(string) (int64, bool)) (int64, bool) {
	if v, ok := read(n.String()); ok {
		return v, true
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	f = math.Round(f * unit)
	return int64(f), err == nil && f >= 0 && f < 9e18
}

func orZero(n json.Number, unit float64, read func(string) (int64, bool)) (int64, bool) {
	if n == "" {
		return 0, true
	}
	return scaled(n, unit, read)
}
