package accesslog

import (
	"errors"
	"strings"
)

// ErrMalformed is returned for a line that is no access log record. Such a line
// is counted as a reject and skipped.
var ErrMalformed = errors.New("malformed access log line")

// Line is one request as nginx logged it. Its strings are parts of the text
// that it was parsed from, so who keeps one keeps the whole text alive.
type Line struct {
	Time           int64  // end of the request, Unix nanoseconds
	Status         int    // as the client got it, 0..999: an app may send what is none
	Bytes          int64  // sent to the client, head and body
	Nanoseconds    int64  // from the request's first byte to the answer's last
	UpstreamTimes  string // seconds of each attempt, as nginx writes them: "0.001, 0.002"
	UpstreamStatus string // status of each attempt: "502, 200"; "" when there was none
	Host           string // the route's name; "" for an unknown host
	App            string // ids; "" where the request didn't get that far
	Release        string
	Type           string
	Instance       string // of the last attempt
	Node           string
	Tried          []string // instances of the attempts before, in order
	Router         string
}

// parse reads one line, without its line feed, into l. What nginx writes for us
// is read by hand; any other order or spelling of JSON by encoding/json. It
// returns ErrMalformed for everything else and leaves l undefined then.
func parse(text string, l *Line) error {
	if parseFast(text, l) {
		return nil
	}
	return parseSlow(text, l)
}

// Attempts is how often the request was handed to an instance: zero when the
// router answered by itself.
func (l *Line) Attempts() int {
	s := l.UpstreamStatus
	switch s {
	case "":
		return 0
	case "-":
		// Nobody answered; an attempt only if somebody was asked.
		if l.Instance == "" {
			return 0
		}
		return 1
	}
	n := 1
	for i := 1; i < len(s)-1; i++ {
		if s[i] == ',' || s[i] == ':' {
			n++
		}
	}
	return n
}

// decimal reads a JSON number without an exponent as billionths. Digits after
// the ninth are cut off.
func decimal(s string) (nano int64, ok bool) {
	whole, frac, dotted := strings.Cut(s, ".")
	if whole == "" || len(whole) > 10 || (whole[0] == '0' && len(whole) > 1) || (dotted && frac == "") {
		return 0, false
	}
	n, ok := digits(whole)
	if !ok {
		return 0, false
	}
	if !dotted {
		return check(n, 0)
	}
	for i := range len(frac) {
		if frac[i]-'0' > 9 {
			return 0, false
		}
	}
	cut := frac[:min(len(frac), 9)]
	f, _ := digits(cut)
	for range 9 - len(cut) {
		f *= 10
	}
	return check(n, f)
}

// check adds whole seconds and billionths, unless the sum leaves int64.
func check(seconds, nano int64) (int64, bool) {
	if seconds > 9e9 {
		return 0, false
	}
	return seconds*1e9 + nano, true
}

// quotedStatus reads a status as nginx writes it, with three digits: what an
// app called one may begin with zeros.
func quotedStatus(s string) (int64, bool) {
	if len(s) != 3 {
		return 0, false
	}
	return digits(s)
}

// integer reads a JSON number of up to 18 digits.
func integer(s string) (int64, bool) {
	if s == "" || len(s) > 18 || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	return digits(s)
}

func digits(s string) (n int64, ok bool) {
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}
