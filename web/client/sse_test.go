package client

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func readEvents(r io.Reader) ([]event, error) {
	er := newEventReader(r)
	var all []event
	for {
		e, err := er.next()
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
}

func TestEventReader_FollowsTheStandard(t *testing.T) {
	cases := []struct {
		name, in string
		want     []event
	}{
		{"one", "event: line\nid: 7\ndata: {}\n\n", []event{{"line", "7", []byte("{}")}}},
		{"unnamed", "data: x\n\n", []event{{"message", "", []byte("x")}}},
		{"several data lines", "data: a\ndata:b\ndata:  c\n\n", []event{{"message", "", []byte("a\nb\n c")}}},
		{"carriage returns", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", []event{{"message", "", []byte("a")}, {"message", "", []byte("b")}, {"message", "", []byte("c")}}},
		{"comments and unknown fields", ": beat\n\nretry: 10\nfoo: bar\ndata: x\n\n", []event{{"message", "", []byte("x")}}},
		{"id stays", "id: 1\ndata: a\n\ndata: b\n\n", []event{{"message", "1", []byte("a")}, {"message", "1", []byte("b")}}},
		{"id with NUL is none", "id: 1\x002\ndata: a\n\n", []event{{"message", "", []byte("a")}}},
		{"no data is no event", "event: x\nid: 3\n\ndata: a\n\n", []event{{"message", "3", []byte("a")}}},
		{"empty data is one", "data\n\n", []event{{"message", "", nil}}},
		{"byte order mark", "\ufeffdata: a\n\n", []event{{"message", "", []byte("a")}}},
		{"cut off", "data: a\n\ndata: b\n", []event{{"message", "", []byte("a")}}},
		{"invalid UTF-8", "data: a\xff\n\n", []event{{"message", "", []byte("a\ufffd")}}},
	}
	for _, tc := range cases {
		for how, r := range map[string]io.Reader{"at once": strings.NewReader(tc.in), "by bytes": iotest.OneByteReader(strings.NewReader(tc.in))} {
			t.Run(tc.name+" "+how, func(t *testing.T) {
				got, err := readEvents(r)

				if err != io.EOF {
					t.Errorf("got error %v, want io.EOF", err)
				}
				if diff := cmp.Diff(tc.want, got, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestEventReader_RefusesEndlessEvents(t *testing.T) {
	for name, in := range map[string]string{
		"one line":   "data: " + strings.Repeat("x", 2*maxEvent),
		"many lines": strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 2*maxEvent/1000),
	} {
		_, err := readEvents(strings.NewReader(in))

		if !errors.Is(err, errEventTooLong) {
			t.Errorf("%s: got %v, want %v", name, err, errEventTooLong)
		}
	}
}

func FuzzEventReader(f *testing.F) {
	f.Add("event: job\nid: 5-1\ndata: {\"id\":\"x\"}\n\n: beat\n\ndata: a\r\ndata: b\r\n\r\n")
	f.Add("\ufeffdata\rdata:\r\n\r\rid:\x00\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		whole, err := readEvents(strings.NewReader(in))
		slow, slowErr := readEvents(iotest.OneByteReader(strings.NewReader(in)))
		if diff := cmp.Diff(whole, slow); diff != "" || !errors.Is(slowErr, err) {
			t.Fatalf("how the bytes arrive must not matter: %v, %v\n%s", err, slowErr, diff)
		}
		for _, e := range whole {
			if e.Name == "" || !utf8.Valid(e.Data) || strings.ContainsAny(e.ID, "\x00\r\n") {
				t.Fatalf("got event %+v", e)
			}
		}
	})
}
