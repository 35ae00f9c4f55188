package openresty

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"aorta/internal/testkit"
)

// logLine is the contract with whoever follows the access log.
type logLine struct {
	Time            float64  `json:"time"`
	Status          int      `json:"status,string"`
	Bytes           int      `json:"bytes"`
	Seconds         float64  `json:"seconds"`
	UpstreamSeconds string   `json:"upstream_seconds"`
	UpstreamStatus  string   `json:"upstream_status"`
	Host            *string  `json:"host"`
	App             string   `json:"app"`
	Release         string   `json:"release"`
	Type            string   `json:"type"`
	Instance        string   `json:"instance"`
	Node            string   `json:"node"`
	Tried           []string `json:"tried"`
	Router          string   `json:"router"`
}

// counted is the line's status with its three digits.
func (l logLine) counted() string { return fmt.Sprintf("%03d", l.Status) }

// logLines waits for exactly n lines and parses them strictly.
func (r *rig) logLines(n int) []logLine {
	r.tb.Helper()
	var lines []logLine
	for _, raw := range r.rawLines(n) {
		lines = append(lines, r.parse(raw))
	}
	return lines
}

// lastLine is the last of exactly n lines.
func (r *rig) lastLine(n int) logLine {
	r.tb.Helper()
	return r.parse(r.rawLines(n)[n-1])
}

func (r *rig) rawLines(n int) [][]byte {
	r.tb.Helper()
	var lines [][]byte
	testkit.Eventually(r.tb, "the access log's lines", func() bool {
		text, _ := os.ReadFile(r.cfg.LogPath)
		lines = bytes.SplitAfter(text, []byte("\n"))
		lines = lines[:len(lines)-1] // what has no end is no line yet
		return len(lines) >= n
	})
	if len(lines) != n {
		r.tb.Fatalf("access log: got %d lines, want %d", len(lines), n)
	}
	return lines
}

func (r *rig) parse(raw []byte) (line logLine) {
	r.tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&line); err != nil {
		r.tb.Fatalf("log line %q: %v", raw, err)
	}
	return line
}

func TestNginx_LogsEveryAnswerOnce(t *testing.T) {
	t.Parallel()
	for _, buffered := range []bool{true, false} {
		r := newRig(t, func(c *Config) { c.LogBuffered = buffered })
		a := newApp(t, nil)
		record := route("shop.example.com", a)
		r.publish(record, route("empty.example.com"))

		r.do("GET", "shop.example.com")
		r.do("GET", "empty.example.com")
		r.do("GET", "unknown.example.com")
		r.do("GET", "under_score.example.com")
		lines := r.logLines(4)

		served, empty := lines[0], lines[1]
		if served.App != record.App || served.Release != record.Groups[0].Release || served.Type != "web" ||
			served.Instance != a.ID || served.Node != a.Node || *served.Host != "shop.example.com" ||
			served.Status != 200 || served.UpstreamStatus != "200" || served.Bytes == 0 || served.Tried != nil {
			t.Errorf("served request: got %+v", served)
		}
		if empty.App == "" || empty.Instance != "" || empty.Status != 503 {
			t.Errorf("request without an instance: got %+v", empty)
		}
		for _, line := range lines[2:] {
			if line.Host == nil || *line.Host != "" || line.App != "" {
				t.Errorf("unknown host: got %+v", line)
			}
		}
		for _, line := range lines {
			if line.Router != r.cfg.RouterID {
				t.Errorf("router: got %q, want %q", line.Router, r.cfg.RouterID)
			}
		}
	}
}

func TestNginx_LogsARequestThatItCouldNotRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.LogBuffered = false })

	r.raw("GET / HTTP/1.1\r\nHost: a..b\r\n\r\n")
	r.raw("nonsense\r\n\r\n")
	lines := r.logLines(2)

	for _, line := range lines {
		if line.Status != 400 || line.Router != r.cfg.RouterID || line.Host != nil {
			t.Errorf("got %+v, want a 400 of this router without a host", line)
		}
	}
}

func TestNginx_ReopensItsLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(route("shop.example.com", newApp(t, nil)))
	r.do("GET", "shop.example.com")
	r.logLines(1)

	if err := os.Rename(r.cfg.LogPath, r.cfg.LogPath+".1"); err != nil {
		t.Fatalf("rename: %v", err)
	}
	if err := r.nginx.Reopen(); err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	testkit.Eventually(t, "the new log", func() bool {
		r.do("GET", "shop.example.com")
		text, _ := os.ReadFile(r.cfg.LogPath)
		return len(text) > 0
	})
}
