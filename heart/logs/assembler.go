package logs

import (
	"strings"

	"aorta/heart/docker"
)

// MaxLine is the longest line that is shipped, in bytes; the rest is cut off
// and CutMark put in its place.
const MaxLine = 16 << 10

// CutMark ends a line that was cut.
const CutMark = "… [cut]"

// assembler joins the chunks that an engine breaks long lines into, per stream.
type assembler map[string]*strings.Builder

// add takes a chunk and gives a line once its end has come.
func (a assembler) add(c docker.Chunk) (string, bool) {
	b := a[c.Stream]
	if b == nil {
		b = &strings.Builder{}
		a[c.Stream] = b
	}
	// One byte over the limit is kept, to know that there was more.
	room := MaxLine + 1 - b.Len()
	b.Write(c.Text[:min(len(c.Text), room)])
	if !c.Whole {
		return "", false
	}
	text := b.String()
	b.Reset()
	return clean(text), true
}

// clean cuts a line and replaces what is not UTF-8.
func clean(text string) string {
	mark := ""
	if len(text) > MaxLine {
		text, mark = text[:MaxLine], CutMark
	}
	return strings.ToValidUTF8(text, "\uFFFD") + mark
}
