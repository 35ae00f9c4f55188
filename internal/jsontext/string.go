// Package jsontext reads and writes JSON strings by themselves, for what comes fifty
// thousand times a second. All else is encoding/json's.
package jsontext

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain are the bytes that stand for themselves in a string.
var plain = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return set
}()

// letters are the escapes of one letter.
var letters = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// End is where a string ends whose opening quote stands in front of b: the offset
// of its closing quote, or -1. Plain says that nothing in it is escaped.
func End[T string | []byte](b T) (end int, isPlain bool) {
	isPlain = true
	for i := 0; i < len(b); i++ {
		switch {
		case plain[b[i]]:
		case b[i] == '"':
			return i, isPlain
		case b[i] == '\\':
			isPlain = false
			i++
		default:
			return -1, false
		}
	}
	return -1, false
}

// Unescape appends what stands between a string's quotes. Not ok is an escape that is
// none, or half of a surrogate pair, which is rare enough to be left to others.
func Unescape[T string | []byte](buf []byte, b T) (text []byte, ok bool) {
	from := 0 // of what was not copied yet
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		buf = append(buf, b[from:i]...)
		n := 0
		if buf, n = escape(buf, b[i+1:]); n == 0 {
			return buf, false
		}
		i += n
		from = i + 1
	}
	return append(buf, b[from:]...), true
}

// escape appends what an escape stands for and gives the length of what follows
// the backslash, 0 for one that is not read here.
func escape[T string | []byte](buf []byte, b T) ([]byte, int) {
	if len(b) == 0 {
		return buf, 0
	}
	if c := letters[b[0]]; c != 0 {
		return append(buf, c), 1
	}
	if b[0] != 'u' || len(b) < 5 {
		return buf, 0
	}
	n, err := strconv.ParseUint(string(b[1:5]), 16, 16)
	if err != nil || n >= 0xd800 && n < 0xe000 {
		return buf, 0
	}
	return utf8.AppendRune(buf, rune(n)), 5
}

const hexDigits = "0123456789abcdef"

// Append appends s as a string in its quotes. What is no UTF-8 becomes U+FFFD.
func Append(buf []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	buf = append(buf, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if plain[s[i]] {
			continue
		}
		buf = appendEscape(append(buf, s[from:i]...), s[i])
		from = i + 1
	}
	return append(append(buf, s[from:]...), '"')
}

func appendEscape(buf []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\n':
		return append(buf, '\\', 'n')
	case '\t':
		return append(buf, '\\', 't')
	}
	return append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
