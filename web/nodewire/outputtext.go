package nodewire

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"aorta/internal/jsontext"
	"aorta/pacemaker/cluster"
)

// Output is the one body that is large and comes several times a second, and both
// sides may run beside the apps that print it. It is written as encoding/json does,
// and read so: what has another form than that is left to encoding/json.

// JSON is the output as encoding/json would write it, but for escapes that need not be.
func (o Output) JSON() []byte {
	buf := append(make([]byte, 0, o.size()), '[')
	for i, p := range o {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = p.appendJSON(buf)
	}
	return append(buf, ']')
}

// size is how long the JSON will be, if it has few escapes.
func (o Output) size() int {
	n := 64
	for _, p := range o {
		n += 256 + len(p.From) + len(p.To)
		for _, text := range p.Texts {
			n += len(text) + len(text)/16 + len(`1700000000000000000,"stdout","",`)
		}
	}
	return n
}

func (w LogPart) appendJSON(buf []byte) []byte {
	for i, value := range [...]string{string(w.Instance), w.Type, w.Release, w.From, w.To} {
		buf = jsontext.Append(append(buf, outputKeys[i]...), value)
	}
	buf = append(buf, timesKey...)
	for i, t := range w.Times {
		buf = strconv.AppendInt(comma(buf, i), t, 10)
	}
	buf = appendStrings(append(buf, streamsKey...), w.Streams)
	buf = appendStrings(append(buf, textsKey...), w.Texts)
	return append(buf, outputEnd...)
}

// What stands before the values of a part, in their order.
var outputKeys = [...]string{`{"instance":`, `,"type":`, `,"release":`, `,"from":`, `,"to":`}

const (
	timesKey   = `,"times":[`
	streamsKey = `],"streams":[`
	textsKey   = `],"texts":[`
	outputEnd  = `]}`
)

func comma(buf []byte, i int) []byte {
	if i > 0 {
		buf = append(buf, ',')
	}
	return buf
}

func appendStrings(buf []byte, list []string) []byte {
	for i, s := range list {
		buf = jsontext.Append(comma(buf, i), s)
	}
	return buf
}

// ReadUsual reads JSON of the form in which JSON and encoding/json write it,
// and says whether it had that form.
func (o *Output) ReadUsual(data []byte) bool {
	in := outputText{rest: string(data)}
	if !utf8.ValidString(in.rest) || !in.next("[") {
		return false
	}
	list := Output{}
	for !in.next("]") {
		if len(list) > 0 && !in.next(",") {
			return false
		}
		p, ok := in.part()
		if !ok {
			return false
		}
		list = append(list, p)
	}
	*o = list
	return strings.TrimRight(in.rest, "\n") == ""
}

// outputText is read from its beginning. Its strings are parts of it.
type outputText struct{ rest string }

// next goes on behind a text, if it comes next.
func (in *outputText) next(text string) (ok bool) {
	in.rest, ok = strings.CutPrefix(in.rest, text)
	return ok
}

func (in *outputText) part() (p LogPart, ok bool) {
	var instance string
	for i, to := range [...]*string{&instance, &p.Type, &p.Release, &p.From, &p.To} {
		if !in.next(outputKeys[i]) || !in.text(to) {
			return p, false
		}
	}
	p.Instance = cluster.ID(instance)
	if !in.next(timesKey) || !in.times(&p.Times) || !in.next(streamsKey) {
		return p, false
	}
	p.Streams, p.Texts = make([]string, 0, len(p.Times)), make([]string, 0, len(p.Times))
	return p, in.texts(&p.Streams) && in.next(textsKey) && in.texts(&p.Texts) && in.next(outputEnd)
}

func (in *outputText) text(to *string) bool {
	if !in.next(`"`) {
		return false
	}
	end, plain := jsontext.End(in.rest)
	if end < 0 {
		return false
	}
	*to = in.rest[:end]
	in.rest = in.rest[end+1:]
	if plain {
		return true
	}
	text, ok := jsontext.Unescape(make([]byte, 0, end), *to)
	*to = string(text)
	return ok
}

// texts reads a list up to its closing bracket.
func (in *outputText) texts(to *[]string) bool {
	for !strings.HasPrefix(in.rest, "]") {
		if len(*to) > 0 && !in.next(",") {
			return false
		}
		var text string
		if !in.text(&text) {
			return false
		}
		*to = append(*to, text)
	}
	return true
}

// times reads a list of numbers up to its closing bracket.
func (in *outputText) times(to *[]int64) bool {
	end := strings.IndexByte(in.rest, ']')
	if end < 0 {
		return false
	}
	list := in.rest[:end]
	in.rest = in.rest[end:]
	*to = make([]int64, 0, 1+strings.Count(list, ","))
	for more := list != ""; more; {
		var digits string
		digits, list, more = strings.Cut(list, ",")
		n, ok := number(digits)
		if !ok {
			return false
		}
		*to = append(*to, n)
	}
	return true
}

// number reads one as JSON has it.
func number(digits string) (int64, bool) {
	n, err := strconv.ParseInt(digits, 10, 64)
	unsigned := strings.TrimPrefix(digits, "-")
	return n, err == nil && digits[0] != '+' && (unsigned[0] != '0' || unsigned == "0")
}
