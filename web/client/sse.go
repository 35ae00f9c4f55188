package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// maxEvent bounds one event of a stream, in bytes.
const maxEvent = 1 << 20

// errEventTooLong ends a stream whose sender does not end its events.
var errEventTooLong = errors.New("an event of the stream is longer than 1 MiB")

// event is one event of a text/event-stream.
type event struct {
	Name string // "message" when the stream named none
	ID   string // the last one that the stream gave, also by an earlier event
	Data []byte // lines joined by \n, valid UTF-8
}

// eventReader splits a text/event-stream as the HTML standard says: lines end
// in CR, LF or both, a blank line ends an event, an event without data is none,
// and one that the stream's end cuts off is dropped.
type eventReader struct {
	lines  *bufio.Scanner
	first  bool
	lastID string
}

func newEventReader(r io.Reader) *eventReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxEvent)
	s.Split(splitLines())
	return &eventReader{lines: s, first: true}
}

// next reads one event; io.EOF when the stream ended between two.
func (r *eventReader) next() (event, error) {
	var name string
	var data []byte
	some := false
	for r.lines.Scan() {
		line := r.line()
		if len(line) == 0 {
			if some {
				return r.event(name, data), nil
			}
			name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			some = true
			data = append(append(data, value...), '\n')
		case "id":
			if !bytes.ContainsRune(value, 0) {
				r.lastID = string(value)
			}
		}
		if len(data) > maxEvent {
			return event{}, errEventTooLong
		}
	}
	return event{}, r.end()
}

func (r *eventReader) line() []byte {
	line := r.lines.Bytes()
	if r.first {
		r.first = false
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line
}

func (r *eventReader) event(name string, data []byte) event {
	if name == "" {
		name = "message"
	}
	data = data[:len(data)-1]
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\ufffd"))
	}
	return event{Name: name, ID: strings.ToValidUTF8(r.lastID, "\ufffd"), Data: data}
}

func (r *eventReader) end() error {
	switch err := r.lines.Err(); {
	case err == nil:
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return errEventTooLong
	default:
		return err
	}
}

// splitLines splits at CR, LF or CRLF. A CR ends its line at once, for the
// next byte of a live stream may be long in coming; an LF after it is then
// swallowed.
func splitLines() bufio.SplitFunc {
	afterCR := false
	return func(data []byte, atEOF bool) (int, []byte, error) {
		skip := 0
		if afterCR && len(data) > 0 {
			afterCR = false
			if data[0] == '\n' {
				skip = 1
			}
		}
		i := bytes.IndexAny(data[skip:], "\r\n")
		if i < 0 {
			// A line without an end belongs to an event that was cut off.
			return skip, nil, nil
		}
		afterCR = data[skip+i] == '\r'
		return skip + i + 1, data[skip : skip+i : skip+i], nil
	}
}
