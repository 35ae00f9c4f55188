package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestBuckets_CoverAllLatenciesWithinTenPercent(t *testing.T) {
	if len(bucketLow) > 256 {
		t.Fatalf("got %d buckets, want at most 256: their index is a byte", len(bucketLow))
	}
	for i := 1; i < len(bucketLow)-1; i++ {
		low, high := bucketLow[i], bucketLow[i+1]-1
		if low > high || float64(high) > float64(low)*bucketGrowth {
			t.Errorf("bucket %d: got %d to %d ms, want a ratio up to %v", i, low, high, bucketGrowth)
		}
	}
	for _, c := range []struct {
		seconds float64
		want    uint32
	}{{-1, 0}, {math.NaN(), 0}, {0, 0}, {0.0004, 0}, {0.001, 1}, {0.009, 9}, {3600, 0}, {math.Inf(1), 0}} {
		want := searchBucket(c.want)
		if c.seconds > 3000 {
			want = uint8(len(bucketLow) - 1)
		}
		if got := bucketOf(c.seconds); got != want {
			t.Errorf("%v s: got bucket %d, want %d", c.seconds, got, want)
		}
	}
}

// The bounds are in Redis for years: a change of them needs a new kind of
// record.
func TestBuckets_NeverChange(t *testing.T) {
	want := []uint32{140, 1, 10, 721, 85328, 3511004}
	got := []uint32{uint32(len(bucketLow)), bucketLow[1], bucketLow[10], bucketLow[50], bucketLow[100], bucketLow[len(bucketLow)-1]}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bounds (-want +got):\n%s", diff)
	}
}

func TestCounters_PercentilesAreWithinFivePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var c Counters
	var values []float64
	for range 20000 {
		ms := math.Round(math.Exp(random.NormFloat64() + 4))
		values = append(values, ms)
		c.Latency.observe(bucketOf(ms/1000), 1)
	}
	slices.Sort(values)

	for _, p := range []float64{0, 1, 50, 95, 99, 99.9, 100} {
		want := values[max(0, int(math.Ceil(p/100*float64(len(values))))-1)]
		got, ok := c.Percentile(p)
		if !ok || math.Abs(got-want) > want*0.05 {
			t.Errorf("p%v: got %v %v, want %v ± 5 %%", p, got, ok, want)
		}
	}
	if got, ok := (Counters{Requests: 1}).Percentile(50); ok {
		t.Errorf("without latencies: got %v, want none", got)
	}
}

func TestCounters_AddLeavesCopiesAlone(t *testing.T) {
	a := Counters{Requests: 1, Latency: Histogram{{3, 1}}}
	copied := a

	a.Add(Counters{Requests: 2, Attempts: 3, Bytes: 4, Status: [6]uint64{2: 2}, Latency: Histogram{{1, 1}, {3, 2}, {9, 1}}})

	want := Counters{Requests: 3, Attempts: 3, Bytes: 4, Status: [6]uint64{2: 2}, Latency: Histogram{{1, 1}, {3, 3}, {9, 1}}}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Counters{Requests: 1, Latency: Histogram{{3, 1}}}, copied); diff != "" {
		t.Errorf("copy (-want +got):\n%s", diff)
	}
}

func TestClass_CountsSwitchingProtocolsAsSuccess(t *testing.T) {
	for status, want := range map[int]int{100: 1, 101: 2, 200: 2, 304: 3, 499: 4, 503: 5, 0: 0, -1: 0, 600: 0, 99: 0} {
		if got := class(status); got != want {
			t.Errorf("%d: got class %d, want %d", status, got, want)
		}
	}
}

func anyCounters(t *rapid.T) Counters {
	c := Counters{
		Requests: rapid.Uint64().Draw(t, "requests"), Attempts: rapid.Uint64().Draw(t, "attempts"),
		Bytes: rapid.Uint64().Draw(t, "bytes"),
	}
	if rapid.Bool().Draw(t, "usual") {
		c.Attempts, c.Status[2] = c.Requests, c.Requests
	} else {
		for i := 1; i < 6; i++ {
			c.Status[i] = rapid.Uint64Range(0, 3).Draw(t, "class")
		}
	}
	indexes := rapid.SliceOfDistinct(rapid.IntRange(0, len(bucketLow)-1), rapid.ID[int]).Draw(t, "buckets")
	for _, i := range indexes {
		c.Latency.observe(uint8(i), rapid.Uint64Range(1, 1<<40).Draw(t, "n"))
	}
	return c
}

func TestSteps_UnpackIsTheSumOfWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := levels[rapid.IntRange(0, 2).Draw(t, "level")]
		start := l.start(1763688000)
		want, packed := steps{}, ""
		for range rapid.IntRange(0, 4).Draw(t, "records") {
			at := start + rapid.Int64Range(0, l.span/l.step-1).Draw(t, "step")*l.step
			c := anyCounters(t)
			want.add(at, c)
			packed += string(steps{at: c}.pack(l, start))
		}

		got := steps{}
		if err := got.unpack(l, start, packed); err != nil {
			t.Fatalf("unpack: got %v, want none", err)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		again := steps{}
		if err := again.unpack(l, start, string(got.pack(l, start))); err != nil || cmp.Diff(got, again) != "" {
			t.Fatalf("packed again: got %v %v, want %v", again, err, got)
		}
	})
}

func FuzzSteps_Unpack(f *testing.F) {
	f.Add("")
	f.Add(string(steps{7: {Requests: 2, Attempts: 3, Bytes: 9, Status: [6]uint64{2: 1, 5: 1}, Latency: Histogram{{1, 1}, {9, 1}}}}.pack(levels[0], 0)))
	f.Add("\x00\x20\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, packed string) {
		s := steps{}
		if s.unpack(levels[0], 0, packed) != nil {
			return
		}
		for at, c := range s {
			if at < 0 || at >= 60 || !slices.IsSortedFunc(c.Latency, func(a, b Bucket) int { return int(a.Index) - int(b.Index) }) {
				t.Errorf("got step %d with %v, want 0 to 59 in order", at, c.Latency)
			}
		}
	})
}

func TestHistogram_CountsWithinABound(t *testing.T) {
	t.Parallel()
	var h Histogram
	for _, seconds := range []float64{0, 0.004, 0.004, 0.2, 5} {
		h.observe(bucketOf(seconds), 1)
	}

	count, ms := h.Sum()

	if count != 5 || ms < 5200*0.95 || ms > 5220*1.05 {
		t.Errorf("got %d in %.0f ms, want 5 in about 5208", count, ms)
	}
	for bound, want := range map[uint32]uint64{0: 1, 3: 1, 5: 3, 100: 3, 250: 4, 10_000: 5} {
		if got := h.Within(bound); got != want {
			t.Errorf("within %d ms: got %d, want %d", bound, got, want)
		}
	}
}
