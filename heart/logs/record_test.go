package logs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParser_ReadsWhatTheEngineWrites(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 67, time.UTC)
	stamp := at.Format(time.RFC3339Nano)
	cases := map[string]struct {
		line    string
		stream  string
		text    string
		whole   bool
		damaged bool
	}{
		"a line":         {`{"log":"ready\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "ready", true, false},
		"a piece":        {`{"log":"rea","stream":"stderr","time":"` + stamp + `"}`, "stderr", "rea", false, false},
		"an empty line":  {`{"log":"\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "", true, false},
		"of Windows":     {`{"log":"a\r\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "a", true, false},
		"escapes":        {`{"log":"\u003ca\u0009\"\\\u2028é\ufffd\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "<a\t\"\\\u2028é\ufffd", true, false},
		"with labels":    {`{"log":"a\n","stream":"stdout","attrs":{"tag":"x"},"time":"` + stamp + `"}`, "stdout", "a", true, false},
		"behind a torn":  {`{"log":"hal{"log":"a\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "a", true, true},
		"behind a hole":  {strings.Repeat("\x00", 5000) + `{"log":"a\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "a", true, true},
		"a torn one":     {`{"log":"a\n","stream":"stdo`, "", "", false, true},
		"another stream": {`{"log":"a\n","stream":"stdin","time":"` + stamp + `"}`, "", "", false, true},
		"without a time": {`{"log":"a\n","stream":"stdout"}`, "", "", false, true},
		"no record":      {`hello`, "", "", false, true},
		"nothing":        {``, "", "", false, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var p parser

			r, damaged, ok := p.parse([]byte(c.line))

			if r.stream != c.stream || string(r.text) != c.text || r.whole != c.whole || damaged != c.damaged || ok != (c.stream != "") || ok && !r.time.Equal(at) {
				t.Errorf("got %q %q whole %t at %s, damaged %t, ok %t", r.stream, r.text, r.whole, r.time, damaged, ok)
			}
		})
	}
}

// What the quick way reads, it reads as encoding/json does.
func FuzzParser(f *testing.F) {
	f.Add([]byte(`{"log":"a\u0000\ud83d\ude00\/\n","stream":"stdout","time":"2026-01-02T03:04:05.000000067Z"}`), "text\n")
	f.Add([]byte(`{"log":"`+"\xff"+`","stream":"stderr","time":"2026-01-02T03:04:05+01:00"}`), "\xff\u2028")
	f.Fuzz(func(t *testing.T, line []byte, text string) {
		var quick, slow parser
		if r, ok := quick.fast(line); ok {
			want, known := slow.slow(line)
			if !known || want.stream != r.stream || !bytes.Equal(want.text, r.text) || !want.time.Equal(r.time) {
				t.Errorf("%q: got %q %q %s, want %q %q %s, %t", line, r.stream, r.text, r.time, want.stream, want.text, want.time, known)
			}
		}
		log, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		own := append(append([]byte(`{"log":`), log...), `,"stream":"stdout","time":"2026-01-02T03:04:05.000000067Z"}`...)
		if r, ok := quick.fast(own); !ok || string(r.text) != strings.ToValidUTF8(text, "\ufffd") && !bytes.Contains(r.text, []byte("\ufffd")) {
			t.Errorf("%q: got %q, %t", text, r.text, ok)
		}
	})
}
