// Package dotenv reads files of config vars, such as .env: it is the same file for
// the command line and for the dashboard.
package dotenv

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxSize bounds a file, in bytes.
const MaxSize = 4 << 20

// Parse reads lines of KEY=VALUE and skips empty lines, comments (#) and a leading
// "export ". A value in single quotes is literal; in double quotes \n, \r, \t, \", \\
// and \$ mean what they do in a shell's $'…'; both may span lines. A bare value ends
// at " #" or the line's end. Nothing is expanded. An error names its line.
func Parse(text string) (map[string]string, error) {
	vars := map[string]string{}
	line := 1
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	for text != "" {
		head, rest, _ := strings.Cut(text, "\n")
		trimmed := strings.TrimSpace(head)
		if trimmed == "" || trimmed[0] == '#' {
			text, line = rest, line+1
			continue
		}
		key, after, ok := strings.Cut(text, "=")
		key = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(key), "export "))
		if !ok || key == "" || strings.ContainsAny(key, " \t\n") {
			return nil, fmt.Errorf("line %d is not of the form KEY=VALUE", line)
		}
		value, next, err := parseValue(after)
		if err != nil {
			return nil, fmt.Errorf("line %d (%s): %w", line, visible(key), err)
		}
		vars[key] = value
		line += strings.Count(text[:len(text)-len(next)], "\n")
		text = next
	}
	return vars, nil
}

// parseValue parses a value and returns the text after its line.
func parseValue(s string) (value, next string, err error) {
	s = strings.TrimLeft(s, " \t")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		bare, next, _ := strings.Cut(s, "\n")
		if i := strings.Index(" "+bare, " #"); i >= 0 {
			bare = bare[:max(0, i-1)]
		}
		return strings.TrimSpace(bare), next, nil
	}
	value, s, err = parseQuoted(s)
	if err != nil {
		return "", "", err
	}
	tail, next, _ := strings.Cut(s, "\n")
	if tail = strings.TrimSpace(tail); tail != "" && tail[0] != '#' {
		return "", "", fmt.Errorf("%q follows the closing quote", tail)
	}
	return value, next, nil
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\', '$': '$'}

func parseQuoted(s string) (value, rest string, err error) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			return b.String(), s[i+1:], nil
		case c == '\\' && quote == '"' && i+1 < len(s) && escapes[s[i+1]] != 0:
			i++
			b.WriteByte(escapes[s[i]])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf("the closing %c is missing", quote)
}

// visible is a name as it may be shown: control characters are escaped.
func visible(name string) string { return strings.Trim(strconv.Quote(name), `"`) }
