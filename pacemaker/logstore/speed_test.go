package logstore

import (
	"strconv"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Times depend on the machine; go test -bench gives them. This checks that the
// sizes they are measured at come out right.
func TestStore_HundredThousandLines(t *testing.T) {
	s := open(t, t.TempDir(), Config{})
	const total, batch = 100_000, 1000
	for n := 0; n < total; n += batch {
		add(t, s, lines("a", n, n+batch))
	}
	s.tidy(t.Context())

	wantLines(t, s, Query{Limit: 100}, lines("a", total-100, total))
	wantLines(t, s, Query{Search: "says 31415"}, lines("a", 31415, 31416))
}

func BenchmarkStore_Append(b *testing.B) {
	s := open(b, b.TempDir(), Config{MaxBytesPerApp: 1 << 40})
	stop := start(b, s)
	defer stop()
	const batch = 1000
	n, at, list := 0, "", lines("a", 0, batch)
	before := testkit.CPUTime(b)
	for b.Loop() {
		one := cluster.LogPart{Instance: "a", App: shop, Type: "web", Release: "v1", Node: "node-1", From: at, To: strconv.Itoa(n + batch)}
		for _, l := range list {
			one.Lines = append(one.Lines, cluster.LogText{Time: l.Time, Stream: l.Stream, Text: l.Text})
		}
		if refused, err := s.Append(b.Context(), []cluster.LogPart{one}); err != nil || len(refused) > 0 {
			b.Fatal(err, refused)
		}
		at = one.To
		n += batch
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64((testkit.CPUTime(b)-before).Milliseconds())*100_000/float64(n), "cpu-ms/100k-lines")
}

func BenchmarkStore_Search(b *testing.B) {
	s := open(b, b.TempDir(), Config{})
	const total, batch = 300_000, 1000
	var bytes int64
	for n := 0; n < total; n += batch {
		list := lines("a", n, n+batch)
		bytes += int64(len(appendLine(nil, list[0]))) * batch
		add(b, s, list)
	}
	s.tidy(b.Context())
	b.SetBytes(bytes)
	for b.Loop() {
		if _, err := s.Query(b.Context(), shop, Query{Search: "not there", Limit: 100}); err != nil {
			b.Fatal(err)
		}
	}
}
