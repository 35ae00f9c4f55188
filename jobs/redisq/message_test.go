package redisq

import (
	"strings"
	"testing"
	"unicode/utf8"

	"aorta/jobs"
	"github.com/google/go-cmp/cmp"
)

func TestMessage_RoundTrip(t *testing.T) {
	base := message{Tree: "t", Job: "j", Lease: "l"}
	for _, m := range []message{
		{Kind: messageTaken, Worker: "w"},
		{Kind: messageBack},
		{Kind: messageProgress, Progress: jobs.Progress{N: 1, M: 2, Text: "x"}},
		{Kind: messageDone, Outcome: jobs.Outcome{Kind: jobs.OutcomeFailed, Error: "e", Permanent: true}},
		{Kind: messageGraft, Graft: graft{Parent: "j", Specs: []jobs.Spec{spec("k", jobs.NodeQueue("a"))}}},
	} {
		m.Tree, m.Job, m.Lease = base.Tree, base.Job, base.Lease
		values, err := m.values()
		if err != nil {
			t.Fatalf("encode %+v: %v", m, err)
		}

		got, err := parseMessage(asEntry(values))

		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("%s: got %v (-want +got):\n%s", m.Kind, err, diff)
		}
	}
}

// asEntry is what the values look like when they come back from Redis.
func asEntry(values []any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(values); i += 2 {
		text, ok := values[i+1].(string)
		if !ok {
			text = string(values[i+1].([]byte))
		}
		out[values[i].(string)] = text
	}
	return out
}

func FuzzParseMessage(f *testing.F) {
	f.Add("done", "t", "j", "l", `{"kind":"succeeded","result":{}}`)
	f.Add("graft", "t", "j", "l", `{"parent":"j","specs":[{"id":"x"}]}`)
	f.Add("taken", "t", "j", "l", `"w"`)
	f.Add("progress", "t", "j", "l", `{"n":1}`)
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, kind, tree, job, lease, body string) {
		m, err := parseMessage(map[string]any{"k": kind, "tree": tree, "job": job, "lease": lease, "body": body})

		if err != nil || m.Kind == messageWake {
			return
		}
		if m.Tree == "" || m.Job == "" || m.Lease == "" {
			t.Fatalf("accepted without tree, job or lease: %+v", m)
		}
		if len(m.Outcome.Error) > maxText || len(m.Outcome.Result) > maxResult || len(m.Worker) > 128 || len(m.Progress.Text) > maxText {
			t.Fatalf("accepted oversized: %d, %d, %d, %d bytes", len(m.Outcome.Error), len(m.Outcome.Result), len(m.Worker), len(m.Progress.Text))
		}
	})
}

func FuzzQueueOfOut(f *testing.F) {
	f.Add("{n:a}:out")
	f.Add("{jobs}:out")
	f.Add("{}:out")
	f.Fuzz(func(t *testing.T, stream string) {
		q, ok := queueOfOut(stream)

		if ok && keysOf(q).out() != stream {
			t.Fatalf("%q became %q", stream, keysOf(q).out())
		}
	})
}

func TestClip_KeepsTextValid(t *testing.T) {
	long := strings.Repeat("ä", 100)

	for n := 10; n < 30; n++ {
		if got := clip(long, n); len(got) > n || !utf8.ValidString(got) {
			t.Errorf("clip to %d: got %d bytes, valid %v", n, len(got), utf8.ValidString(got))
		}
	}
	if got := clip("short", 10); got != "short" {
		t.Errorf("got %q, want short", got)
	}
}
