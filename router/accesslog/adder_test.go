package accesslog

import (
	"strings"
	"testing"

	"aorta/router/stats"
)

// Reading, parsing and adding up without Redis, per line.
func BenchmarkTailer(b *testing.B) {
	l, m := newLogFile(b), newMemory()
	l.write(b.N)
	b.ResetTimer()

	l.start(m)
	l.counted(m)
}

func BenchmarkAdder(b *testing.B) {
	a, f := newAdder(), &file{}
	b.ReportAllocs()
	for b.Loop() {
		a.add(whole, 1, f)
	}
}

func TestAdder_SkipsWhatTheShardHas(t *testing.T) {
	a, f := newAdder(), &file{}
	shard := stats.ShardOf("a1")
	f.skip[shard] = 100

	a.add(whole, 100, f)
	a.add(whole, 101, f)
	a.add(strings.Replace(whole, `"app":"a1",`, "", 1), 100, f)

	if got := a.batches[shard].Len(); got != 1 {
		t.Errorf("the shard that has the first: got %d requests, want 1", got)
	}
	if got := a.batches[stats.Shards-1].Len(); got != 1 {
		t.Errorf("requests of no app: got %d, want 1", got)
	}
}

func TestAdder_InternsAFewIdsOnly(t *testing.T) {
	a := newAdder()

	for n := range maxInterned + 10 {
		a.id(strings.Repeat("x", 1+n%7) + string(rune('a'+n%26)) + lineOf(n, "a"))
	}

	if got := len(a.ids); got > maxInterned {
		t.Errorf("ids remembered: got %d, want at most %d", got, maxInterned)
	}
}

// What an app sends as a status need not be one.
func TestClass_CountsWhatIsNoStatusAsAFailure(t *testing.T) {
	for status, want := range map[int]int{0: 599, 9: 599, 99: 599, 100: 100, 200: 200, 599: 599, 600: 599, 999: 599} {
		if got := class(status); got != want {
			t.Errorf("%d: got %d, want %d", status, got, want)
		}
	}
}
