package logs

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"aorta/internal/jsontext"
)

// record is one record of the engine's json-file driver: a line that a process
// wrote, or a piece of one that is longer than the engine's buffer.
type record struct {
	stream string // stdout or stderr
	time   time.Time
	text   []byte // without the line's end; valid until the next record is parsed
	whole  bool   // the line ends here
}

// recordHead begins every record, and can't stand inside of one, where quotes
// are escaped.
const recordHead = `{"log":"`

// parser reads records. Its buffer is used again for each.
type parser struct{ buf []byte }

// parse reads a record, without its newline. A torn record, after which the
// engine wrote on, may stand in front of it: damaged says so.
func (p *parser) parse(line []byte) (r record, damaged, ok bool) {
	if r, ok = p.whole(line); ok {
		return r, false, true
	}
	if at := bytes.LastIndex(line, []byte(recordHead)); at > 0 {
		r, ok = p.whole(line[at:])
	}
	return r, true, ok
}

func (p *parser) whole(line []byte) (record, bool) {
	r, ok := p.fast(line)
	if !ok {
		r, ok = p.slow(line)
	}
	if !ok {
		return record{}, false
	}
	r.text, r.whole = bytes.CutSuffix(r.text, []byte{'\n'})
	if r.whole {
		r.text = bytes.TrimSuffix(r.text, []byte{'\r'})
	}
	return r, true
}

// fast reads what the engine writes unless it was asked for more, and leaves
// everything else to slow.
func (p *parser) fast(line []byte) (r record, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(recordHead))
	if !ok {
		return r, false
	}
	if rest, ok = p.unquote(rest); !ok {
		return r, false
	}
	r.text = p.buf
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"stream":"std`)); !ok || len(rest) < 4 {
		return r, false
	}
	switch string(rest[:4]) {
	case `out"`:
		r.stream = "stdout"
	case `err"`:
		r.stream = "stderr"
	default:
		return r, false
	}
	if rest, ok = bytes.CutPrefix(rest[4:], []byte(`,"time":"`)); !ok {
		return r, false
	}
	stamp, ok := bytes.CutSuffix(rest, []byte(`"}`))
	return r, ok && r.time.UnmarshalText(stamp) == nil && !r.time.IsZero()
}

// unquote puts a string's text into the buffer, up to its closing quote, and
// gives the rest.
func (p *parser) unquote(b []byte) (rest []byte, ok bool) {
	end, _ := jsontext.End(b)
	if end < 0 {
		return nil, false
	}
	p.buf, ok = jsontext.Unescape(p.buf[:0], b[:end])
	return b[end+1:], ok && utf8.Valid(p.buf)
}

// slow reads a record with more in it than usual, such as labels.
func (p *parser) slow(line []byte) (record, bool) {
	var in struct {
		Log    string    `json:"log"`
		Stream string    `json:"stream"`
		Time   time.Time `json:"time"`
	}
	if err := json.Unmarshal(line, &in); err != nil || in.Time.IsZero() || in.Stream != "stdout" && in.Stream != "stderr" {
		return record{}, false
	}
	p.buf = append(p.buf[:0], in.Log...)
	return record{stream: in.Stream, time: in.Time, text: p.buf}, true
}
