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
	Status         json.Number `json:"status"`
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
	var status int64
	var ok [4]bool
	l.Time, ok[0] = scaled(r.Time, 1e9, decimal)
	status, ok[1] = scaled(r.Status, 1, integer)
	l.Bytes, ok[2] = orZero(r.Bytes, 1, integer)
	l.Nanoseconds, ok[3] = orZero(r.Seconds, 1e9, decimal)
	if ok != [4]bool{true, true, true, true} || status < 100 || status > 999 {
		return fmt.Errorf("%w: time %q, status %q, bytes %q, seconds %q", ErrMalformed, r.Time, r.Status, r.Bytes, r.Seconds)
	}
	l.Status = int(status)
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
