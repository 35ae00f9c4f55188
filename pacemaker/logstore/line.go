package logstore

import (
	"bytes"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// A stored line is eight fields with tabs between and a newline behind:
// checksum of the rest (8 hex digits), time (Unix nanoseconds), instance,
// process type, release, node, stream, text. Tabs, newlines and backslashes
// inside a field are escaped with a backslash.
const lineFields = 7 // behind the checksum

// maxText is where a line's text is clipped, in bytes.
const maxText = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const hexDigits = "0123456789abcdef"

// origin is the stored form of what lines of one source have in common: a tab, the
// instance, process type, release and node, and a tab.
type origin []byte

func originOf(instance cluster.ID, process, release, node string) origin {
	var o []byte
	for _, f := range [...]string{string(instance), process, release, node} {
		o = appendEscaped(append(o, '\t'), f)
	}
	return append(o, '\t')
}

// append appends the stored form of a line.
func (o origin) append(buf []byte, nano int64, stream, text string) []byte {
	start := len(buf)
	buf = append(buf, "00000000\t"...)
	body := len(buf)
	buf = append(strconv.AppendInt(buf, nano, 10), o...)
	buf = appendEscaped(buf, stream)
	buf = appendEscaped(append(buf, '\t'), clipText(text))
	putSum(buf[start:], crc32.Checksum(buf[body:], castagnoli))
	return append(buf, '\n')
}

// putSum writes a checksum over the 8 bytes at the beginning of b.
func putSum(b []byte, sum uint32) {
	for i := range 8 {
		b[i] = hexDigits[sum>>(28-4*i)&15]
	}
}

// sumFits says whether these 8 digits are the checksum of b.
func sumFits(digits, b []byte) bool {
	sum, err := strconv.ParseUint(string(digits), 16, 32)
	return err == nil && crc32.Checksum(b, castagnoli) == uint32(sum)
}

func clipText(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

// escapes are the letters behind a backslash that stand for the bytes that a field
// can't hold.
var escapes = [256]byte{'\\': '\\', '\t': 't', '\n': 'n'}

func appendEscaped(buf []byte, s string) []byte {
	from := 0 // of what was not copied yet
	for i := range len(s) {
		if letter := escapes[s[i]]; letter != 0 {
			buf = append(append(buf, s[from:i]...), '\\', letter)
			from = i + 1
		}
	}
	return append(buf, s[from:]...)
}

func unescape(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			i++
			switch c = b[i]; c {
			case 't':
				c = '\t'
			case 'n':
				c = '\n'
			}
		}
		out = append(out, c)
	}
	return string(out)
}

// record is a stored line, taken apart only as far as a filter needs. Its
// slices are good until the next line is read.
type record struct {
	seq    uint64
	nano   int64
	fields [lineFields - 1][]byte // instance, type, release, node, stream, text
}

// The places in record.fields.
const (
	fieldInstance = iota
	fieldType
	fieldRelease
	fieldNode
	fieldStream
	fieldText
)

// parseLine reads a stored line, without its newline. Not ok means that the
// line is not what was once written.
func parseLine(b []byte) (r record, ok bool) {
	if len(b) < 9 || b[8] != '\t' {
		return r, false
	}
	if !sumFits(b[:8], b[9:]) {
		return r, false
	}
	stamp, rest, _ := bytes.Cut(b[9:], []byte{'\t'})
	var err error
	if r.nano, err = strconv.ParseInt(string(stamp), 10, 64); err != nil {
		return r, false
	}
	for i := range r.fields {
		if r.fields[i], rest, ok = bytes.Cut(rest, []byte{'\t'}); !ok && i < fieldText {
			return r, false
		}
	}
	return r, len(rest) == 0
}

// line is the record in the vocabulary's form.
func (r record) line(app cluster.ID) cluster.LogLine {
	return cluster.LogLine{
		Time:     time.Unix(0, r.nano).UTC(),
		App:      app,
		Instance: cluster.ID(unescape(r.fields[fieldInstance])),
		Type:     unescape(r.fields[fieldType]),
		Release:  unescape(r.fields[fieldRelease]),
		Node:     unescape(r.fields[fieldNode]),
		Stream:   unescape(r.fields[fieldStream]),
		Text:     unescape(r.fields[fieldText]),
	}
}
