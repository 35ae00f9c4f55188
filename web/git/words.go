package git

import (
	"regexp"
	"strings"
	"unicode"
)

// maxReason is how long the one-line cause of a refused ref may be, in bytes.
const maxReason = 500

var escapeSequence = regexp.MustCompile(`\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)`)

// plain makes text safe for the pusher's terminal: what a build prints is the
// app's, and must not move the cursor or set titles.
func plain(s string) string {
	s = escapeSequence.ReplaceAllString(strings.ToValidUTF8(s, "�"), "")
	return strings.Map(func(c rune) rune {
		if c != '\t' && unicode.IsControl(c) {
			return -1
		}
		return c
	}, s)
}

// oneLine is an error's text as git prints it behind the ref. What it quotes
// below a heading, such as an app's last lines, was printed before and is left out.
func oneLine(err error) string {
	var parts []string
	quoting := false
	for l := range strings.Lines(err.Error()) {
		l = plain(l)
		indented := strings.HasPrefix(l, "  ")
		if n := len(parts) - 1; indented && n > 0 && strings.HasSuffix(parts[n], ":") {
			parts, quoting = parts[:n], true
		}
		quoting = quoting && indented
		if l = strings.TrimSpace(l); l != "" && !quoting {
			parts = append(parts, l)
		}
	}
	s := strings.Join(parts, "; ")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	if s == "" {
		return "refused"
	}
	return s
}
