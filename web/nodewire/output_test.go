package nodewire

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
