package nodewire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aorta/internal/strictjson"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestLogParts_ForgetNothingButWhatThePacemakerKnows(t *testing.T) {
	want := testkit.Filled[[]cluster.LogPart](t)
	for i := range want {
		want[i].App, want[i].Node = "", ""
	}

	got, err := DomainLogParts(FromLogParts(want))

	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("there and back: %v (-want +got):\n%s", err, diff)
	}
}

func TestLogParts_ColumnsHaveOneLength(t *testing.T) {
	for name, w := range map[string]LogPart{
		"no time":   {Streams: []string{"stdout"}, Texts: []string{"x"}},
		"no stream": {Times: []int64{1}, Texts: []string{"x"}},
		"no text":   {Times: []int64{1}, Streams: []string{"stdout"}},
	} {
		if got, err := DomainLogParts([]LogPart{w}); cluster.CodeOf(err) != cluster.CodeInvalid {
			t.Errorf("%s: got %v and %v, want it invalid", name, got, err)
		}
	}
}

// Output is written and read as encoding/json does both.
func FuzzOutput(f *testing.F) {
	for _, text := range []string{
		`[]`, `[{"instance":"i1","type":"","release":"","from":"","to":"{\"serial\":1}","times":[7],"streams":["stdout"],"texts":["x"]}]`,
		`[{"instance":"","type":"","release":"","from":"","to":"","times":[],"streams":[],"texts":[]},{"instance":"","type":"","release":"","from":"","to":"","times":[-1,0],"streams":["",""],"texts":["a\u0000","\ud83d\ude00"]}]` + "\n",
		`[{"instance":"i1","instance":"i2"}]`, `[{"instance":"","type":"","release":"","from":"","to":"","times":[01],"streams":[],"texts":[]}]`, `[],`, `[{"texts":null}]`, `null`,
	} {
		f.Add([]byte(text), "text", int64(7))
	}
	f.Fuzz(func(t *testing.T, data []byte, text string, number int64) {
		wantReadAlike(t, data)
		o := Output{{Instance: "i", From: text, To: text, Times: []int64{number, 1}, Streams: []string{text, "stdout"}, Texts: []string{"", text}}, {}}
		written := o.JSON()
		if !wantReadAlike(t, written) {
			t.Errorf("%s is not read in the quick way", written)
		}
		std, err := json.Marshal(Output{{Times: []int64{number}, Streams: []string{"s"}, Texts: []string{"t"}}})
		if testkit.Must(t, err); !wantReadAlike(t, std) {
			t.Errorf("%s is not read in the quick way", std)
		}
	})
}

// wantReadAlike wants JSON to be read as encoding/json does, and says whether it
// was read in the quick way.
func wantReadAlike(t *testing.T, data []byte) bool {
	t.Helper()
	var got, want Output
	if !got.ReadUsual(data) {
		return false
	}
	err := errors.Join(json.Unmarshal(data, &want), strictjson.Check(data, 32, 1000))
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%s: %v (-want +got):\n%s", data, err, diff)
	}
	return true
}

// BenchmarkOutput is 100,000 lines of 100 bytes, written and read.
func BenchmarkOutput(b *testing.B) {
	var p cluster.LogPart
	for range 10_000 {
		p.Lines = append(p.Lines, cluster.LogText{Time: time.Unix(1_800_000_000, 0), Stream: "stdout", Text: strings.Repeat("x", 100)})
	}
	before := testkit.CPUTime(b)
	for b.Loop() {
		for range 10 {
			var read Output
			if !read.ReadUsual(FromLogParts([]cluster.LogPart{p}).JSON()) {
				b.Fatal("not read")
			}
			if _, err := DomainLogParts(read); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((testkit.CPUTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/100k-lines")
}
