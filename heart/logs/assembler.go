package logs

import (
	"strings"
	"unicode/utf8"
)

// MaxLine is the longest line that is shipped, in bytes; the rest is cut off
// and CutMark put in its place.
const MaxLine = 16 << 10

// CutMark ends a line that was cut.
const CutMark = "… [cut]"

// assembler joins the records that the engine splits long lines into, per stream.
type assembler map[string]*piece

// piece is the beginning of a line whose end did not come yet.
type piece struct {
	text []byte // at most one byte more than MaxLine, to see that the line was longer
	from place  // of its first record
}

// add appends a record, which stands at that place, and returns the line once it
// is complete.
func (a assembler) add(r record, at place) (string, bool) {
	b := a[r.stream]
	if b == nil && r.whole {
		return clean(r.text), true
	}
	if b == nil {
		b = &piece{from: at}
		a[r.stream] = b
	}
	b.text = append(b.text, r.text[:min(len(r.text), MaxLine+1-len(b.text))]...)
	if !r.whole {
		return "", false
	}
	delete(a, r.stream)
	return clean(b.text), true
}

// back is where reading must begin so that no beginning of a line is missed.
func (a assembler) back() (first place, ok bool) {
	for _, b := range a {
		if !ok || b.from.before(first) {
			first, ok = b.from, true
		}
	}
	return first, ok
}

// clean cuts a line and replaces what is not UTF-8.
func clean(text []byte) string {
	if len(text) <= MaxLine && utf8.Valid(text) {
		return string(text)
	}
	if len(text) <= MaxLine {
		return strings.ToValidUTF8(string(text), "\uFFFD")
	}
	return strings.ToValidUTF8(string(text[:MaxLine]), "\uFFFD") + CutMark
}
