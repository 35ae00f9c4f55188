package accesslog

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const whole = `{"time":1763688000.123,"status":"200","bytes":1234,"seconds":0.012,"upstream_seconds":"0.001, 0.011","upstream_status":"502, 200","host":"shop.example.com","app":"a1","release":"r1","type":"web","instance":"i1","node":"n1","tried":["i0"],"router":"x1"}`

func TestParse_ReadsWhatNginxWrites(t *testing.T) {
	cases := map[string]struct {
		text string
		want Line
	}{
		"served": {whole, Line{
			Time: 1763688000_123000000, Status: 200, Bytes: 1234, Nanoseconds: 12_000_000,
			UpstreamTimes: "0.001, 0.011", UpstreamStatus: "502, 200", Host: "shop.example.com",
			App: "a1", Release: "r1", Type: "web", Instance: "i1", Node: "n1", Tried: []string{"i0"}, Router: "x1",
		}},
		"older router": {
			`{"time":1,"status":200,"bytes":0,"seconds":0,"upstream_seconds":"","upstream_status":"","router":"x1"}`,
			Line{Time: 1e9, Status: 200, Router: "x1"},
		},
		"no status at all": {
			`{"time":1,"status":"009","bytes":0,"seconds":0,"upstream_seconds":"","upstream_status":"200","router":"x1"}`,
			Line{Time: 1e9, Status: 9, UpstreamStatus: "200", Router: "x1"},
		},
		"unknown host": {
			`{"time":1.5,"status":404,"bytes":0,"seconds":0.000,"upstream_seconds":"","upstream_status":"","host":"","router":"x1"}`,
			Line{Time: 15e8, Status: 404, Router: "x1"},
		},
		"unreadable request": {
			`{"time":1.5,"status":400,"bytes":0,"seconds":0.000,"upstream_seconds":"","upstream_status":"","router":"x1"}`,
			Line{Time: 15e8, Status: 400, Router: "x1"},
		},
		"another order, escapes, bad UTF-8": {
			"{\"router\":\"\\u0078\xff\", \"status\":101, \"time\":1e0}",
			Line{Time: 1e9, Status: 101, Router: "x\uFFFD"},
		},
		"several tried": {
			`{"time":1,"status":200,"bytes":0,"seconds":0,"upstream_seconds":"","upstream_status":"","tried":["a","b"],"router":"x1"}`,
			Line{Time: 1e9, Status: 200, Tried: []string{"a", "b"}, Router: "x1"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got Line

			err := parse(c.text, &got)

			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("got error %v and (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestParse_RefusesWhatIsNoRecord(t *testing.T) {
	for _, text := range []string{
		"", "nonsense", "{}", "[]", whole[:40], whole + whole, `{"time":1}`, `{"status":200}`,
		`{"time":1,"status":99}`, `{"time":1,"status":1000}`, `{"time":-1,"status":200}`,
		`{"time":"x","status":200}`, `{"time":99999999999,"status":200}`, `{"time":1e300,"status":200}`,
		`{"time":1,"status":000}`, `{"time":1,"status":"99"}`, `{"time":1,"status":"1000"}`, `{"time":1,"status":" 99"}`, `{"time":1,"status":null}`, `{"time":1,"status":true}`, `{"time":1,"status":200,"bytes":-1}`,
	} {
		var l Line

		err := parse(text, &l)

		if !errors.Is(err, ErrMalformed) {
			t.Errorf("Parse(%q): got %v and %+v, want ErrMalformed", text, err, l)
		}
	}
}

func TestLine_CountsAttempts(t *testing.T) {
	for status, want := range map[string]int{
		"": 0, "-": 1, "200": 1, "502, 200": 2, "502, 502, -": 3, "502 : 200": 2, "-, 200": 2,
	} {
		got := (&Line{UpstreamStatus: status, Instance: "i"}).Attempts()

		if got != want {
			t.Errorf("attempts of %q: got %d, want %d", status, got, want)
		}
	}
	if got := (&Line{UpstreamStatus: "-"}).Attempts(); got != 0 {
		t.Errorf("attempts of nobody: got %d, want 0", got)
	}
}

// What the fast way takes, the slow way must take alike.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"time":1.5,"status":404,"bytes":0,"seconds":0.000,"upstream_seconds":"","upstream_status":"","host":"","router":"x1"}`))
	f.Add([]byte(`{"time":1,"status":"000","bytes":0,"seconds":0,"upstream_seconds":"","upstream_status":"","router":"x1"}`))
	f.Add([]byte(`{"time":01.5,"status":404,"bytes":00,"seconds":0.,"upstream_seconds":"","upstream_status":"","tried":[],"router":"x1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var fast, slow Line
		if !parseFast(string(text), &fast) {
			_ = parse(string(text), &fast)
			return
		}

		err := parseSlow(string(text), &slow)

		if diff := cmp.Diff(fast, slow, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("the slow way: error %v, (-fast +slow):\n%s", err, diff)
		}
	})
}

func TestPlain_FindsEachByteAtEachPlace(t *testing.T) {
	for at := range 19 {
		for b := range 256 {
			text := []byte("the quick brown fox")
			text[at] = byte(b)

			got := plain(string(text))

			if want := b >= 0x20 && b < 0x80 && b != '\\'; got != want {
				t.Errorf("plain with %#x at %d: got %v, want %v", b, at, got, want)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var l Line
	b.ReportAllocs()
	for b.Loop() {
		if !parseFast(whole, &l) {
			b.Fatal("not taken by the fast way")
		}
	}
}
