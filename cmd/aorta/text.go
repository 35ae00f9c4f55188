package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapes matches whole terminal sequences: CSI, OSC up to its end, and the
// two-byte ones.
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b[ -/]*[0-Z\\\\^-~]")

// colours matches sequences that only change the colours of text.
var colours = regexp.MustCompile("^\x1b\\[[0-9;:]*m$")

// clean makes untrusted text safe for one line of a terminal: it removes escape
// sequences and makes other control characters visible, also those that change
// the direction of text.
func clean(s string) string { return sanitize(s, false) }

// cleanBlock cleans text of several lines and indents all but the first.
func cleanBlock(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = clean(strings.TrimSuffix(l, "\r"))
	}
	return strings.Join(lines, "\n  ")
}

// cleanLog cleans a line of an app's output; on a screen with colours it keeps
// its colours, and they end with the line.
func (s *screen) cleanLog(text string) string { return sanitize(text, s.colour) }

func sanitize(s string, keepColours bool) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	coloured := false
	for len(s) > 0 {
		at := escapes.FindStringIndex(s)
		if at == nil {
			writeVisible(&b, s)
			break
		}
		writeVisible(&b, s[:at[0]])
		if seq := s[at[0]:at[1]]; keepColours && colours.MatchString(seq) {
			b.WriteString(seq)
			coloured = true
		}
		s = s[at[1]:]
	}
	if coloured {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func writeVisible(b *strings.Builder, s string) {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError)
		case r == '\t', !unicode.IsControl(r) && !turnsText(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(b, `\x%02x`, r)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
		s = s[n:]
	}
}

// turnsText matches characters that reorder text, with which a line can be
// disguised as another, and the two Unicode line ends.
func turnsText(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}
