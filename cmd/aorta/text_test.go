package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestSanitize_ShowsWhatCantBeRun(t *testing.T) {
	cases := []struct{ in, plain, coloured string }{
		{"hello\tworld ü", "hello\tworld ü", "hello\tworld ü"},
		{"\x1b[1;31mred\x1b[0m", "red", "\x1b[1;31mred\x1b[0m\x1b[0m"},
		{"a\x1b[2Jb\x1b]0;title\x07c\x1b]8;;http://x\x1b\\d\x1bMe", "abcde", "abcde"},
		{"bell\x07 back\x08 cr\r nul\x00 del\x7f", `bell\x07 back\x08 cr\x0d nul\x00 del\x7f`, `bell\x07 back\x08 cr\x0d nul\x00 del\x7f`},
		{"c1\u009b31m", `c1\x9b31m`, `c1\x9b31m`},
		{"bad\xff", "bad\ufffd", "bad\ufffd"},
		{"\u202eright\u2028", `\u202eright\u2028`, `\u202eright\u2028`},
		{"open\x1b[", `open\x1b[`, `open\x1b[`},
		{"open\x1b]0;x", `open\x1b]0;x`, `open\x1b]0;x`},
	}
	for _, tc := range cases {
		if got := sanitize(tc.in, false); got != tc.plain {
			t.Errorf("sanitize(%q, false): got %q, want %q", tc.in, got, tc.plain)
		}
		if got := sanitize(tc.in, true); got != tc.coloured {
			t.Errorf("sanitize(%q, true): got %q, want %q", tc.in, got, tc.coloured)
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;:]*m")

func FuzzSanitize(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m\x1b]0;t\x07\r\n\x9b\u202e\xff")
	f.Fuzz(func(t *testing.T, in string) {
		for _, keep := range []bool{false, true} {
			out := sanitize(in, keep)
			rest := out
			if keep {
				rest = sgr.ReplaceAllString(out, "")
			}
			bad := strings.IndexFunc(rest, func(r rune) bool { return r != '\t' && unicode.IsControl(r) })
			if bad >= 0 || !utf8.ValidString(out) {
				t.Fatalf("sanitize(%q, %t) = %q", in, keep, out)
			}
			if keep && sgr.MatchString(out) && !strings.HasSuffix(out, "\x1b[0m") {
				t.Fatalf("sanitize(%q) = %q leaves a colour on", in, out)
			}
		}
	})
}

func TestBytesOf_ReadsSizes(t *testing.T) {
	for in, want := range map[string]int64{"256m": 256 << 20, "1g": 1 << 30, "1.5g": 3 << 29, "512K": 512 << 10, "64MiB": 64 << 20, "1gb": 1 << 30, "1048576": 1 << 20, "10b": 10, "256 MB": 256 << 20, "64Mi": 64 << 20} {
		if got, err := bytesOf(in); err != nil || got != want {
			t.Errorf("bytesOf(%q): got %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "m", "-1m", "0", "0.3", "1e9", "0x10", "inf", "nan", "+5m", "1_0", "9999999999g"} {
		if got, err := bytesOf(in); err == nil {
			t.Errorf("bytesOf(%q): got %d, want an error", in, got)
		}
	}
}

func TestParseSince_TakesSpansAndTimes(t *testing.T) {
	now := time.Date(2026, 3, 4, 9, 30, 0, 0, time.FixedZone("", 7200))
	for in, want := range map[string]string{
		"09:30": "2026-03-04T09:30:00+02:00", "9:31": "2026-03-03T09:31:00+02:00", "00:00:05": "2026-03-04T00:00:05+02:00",
		"2026-01-02": "2026-01-02T00:00:00+02:00", "2026-01-02 15:04": "2026-01-02T15:04:00+02:00", "2026-01-02T15:04:05": "2026-01-02T15:04:05+02:00",
		"": "", "2h": "2h0m0s", "90s": "1m30s", "2d": "48h0m0s", "2026-01-02T15:04:05Z": "2026-01-02T15:04:05Z",
	} {
		if got, err := parseSince(in, now); err != nil || got != want {
			t.Errorf("parseSince(%q): got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"x", "0s", "-1h", "0d", "999999d", "25:00", "2026-13-02", "2026-01-02T"} {
		if got, err := parseSince(in, now); err == nil {
			t.Errorf("parseSince(%q): got %q, want an error", in, got)
		}
	}
}

func TestAge_IsOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "now", 0: "now", 5 * time.Second: "5s ago", 90 * time.Second: "1m ago", 47 * time.Hour: "47h ago", 49 * time.Hour: "2d ago",
	} {
		if got := age(noon, noon.Add(-d)); got != want {
			t.Errorf("age of %s: got %q, want %q", d, got, want)
		}
	}
	if got := age(noon, time.Time{}); got != "" {
		t.Errorf("age of no time: got %q, want none", got)
	}
}

func FuzzParseSizesAndTimes(f *testing.F) {
	f.Add("1.5g")
	f.Add("7d")
	f.Add("2026-01-02T15:04:05Z")
	f.Fuzz(func(t *testing.T, in string) {
		if n, err := bytesOf(in); err == nil && (n < 1 || n > 1<<60) {
			t.Fatalf("bytesOf(%q) = %d", in, n)
		}
		if d, err := parseSpan(in); err == nil && d <= 0 {
			t.Fatalf("parseSpan(%q) = %s", in, d)
		}
		if s, err := parseSince(in, noon); err == nil && in != "" && s == "" {
			t.Fatalf("parseSince(%q) is nothing", in)
		}
	})
}
