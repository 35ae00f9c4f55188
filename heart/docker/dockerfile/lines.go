package dockerfile

import (
	"bytes"
	"strings"
)

// MaxLine is the longest line of a build's output that is kept, in bytes. The
// rest is dropped as it comes, and CutMark put in its place.
const MaxLine = 8 << 10

// CutMark ends a line that was cut.
const CutMark = "… [cut]"

// Lines turns a stream of output into lines of UTF-8. It holds one line at the
// most, so that a step may print as much as it likes without a newline. It is
// not safe for concurrent use.
type Lines struct {
	Emit func(line string)

	pending []byte
	cut     bool
}

// Write takes the next piece of the stream; it never fails.
func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		l.keep(line)
		if !whole {
			return n, nil
		}
		l.end()
		p = rest
	}
}

// Flush emits what has come since the last newline.
func (l *Lines) Flush() {
	if len(l.pending) > 0 {
		l.end()
	}
}

func (l *Lines) keep(piece []byte) {
	if room := MaxLine - len(l.pending); len(piece) > room {
		piece, l.cut = piece[:room], true
	}
	l.pending = append(l.pending, piece...)
}

func (l *Lines) end() {
	line := strings.TrimRight(string(l.pending), "\r ")
	// A progress bar draws over itself; what it came to is the last of it.
	line = line[strings.LastIndexByte(line, '\r')+1:]
	line = strings.ToValidUTF8(line, "\uFFFD")
	if l.cut {
		line += CutMark
	}
	l.pending, l.cut = l.pending[:0], false
	l.Emit(line)
}
