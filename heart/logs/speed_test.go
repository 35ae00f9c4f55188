package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// BenchmarkShipper is a container's log file of 100,000 lines of 100 bytes, from
// the file to a store that only keeps positions.
func BenchmarkShipper(b *testing.B) {
	const total = 100_000
	e := newEngine(b, 1<<40, 2)
	var text strings.Builder
	for n := range total {
		fmt.Fprintf(&text, `{"log":"%s %s\n","stream":"stdout","time":"%s"}`+"\n", numbered(n), strings.Repeat("x", 88), e.now.Add(time.Duration(n)).Format(time.RFC3339Nano))
	}
	e.raw(text.String())
	before := testkit.CPUTime(b)
	for b.Loop() {
		s, w := newStore(), Target{ID: cluster.NewID()}
		h := startHeart(b, s)
		h.Follow(w, e.path)
		testkit.Eventually(b, "all lines", func() bool { return s.count(w.ID) >= total })
		h.kill()
	}
	b.ReportMetric(float64(total)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64((testkit.CPUTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/100k-lines")
}

// BenchmarkReader is the reading alone.
func BenchmarkReader(b *testing.B) {
	e := newEngine(b, 1<<40, 2)
	e.print(10_000)
	var s files
	s.path = e.path
	testkit.Must(b, s.scan(2))
	r := newReader()
	for b.Loop() {
		if n, _, err := r.count(place{file: s.held[0]}); n != 10_000 || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	s.close()
}
