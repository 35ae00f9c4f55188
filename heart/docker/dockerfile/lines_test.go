package dockerfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/heart/docker/dockerfile"
)

func TestLines_GiveEachLineOnce(t *testing.T) {
	long := strings.Repeat("x", dockerfile.MaxLine)
	cases := []struct {
		pieces, want []string
	}{
		{[]string{"a\nb", "c\n", "\n", "d"}, []string{"a", "bc", "", "d"}},
		{[]string{"10%\r20%\r", "done\r\n"}, []string{"done"}},
		{[]string{"\xff\n"}, []string{"\uFFFD"}},
		{[]string{long, "yz\nnext\n"}, []string{long + dockerfile.CutMark, "next"}},
		{[]string{long + "\n" + long + "y"}, []string{long, long + dockerfile.CutMark}},
	}
	for _, c := range cases {
		var got []string
		l := dockerfile.Lines{Emit: func(line string) { got = append(got, line) }}

		for _, p := range c.pieces {
			_, _ = l.Write([]byte(p))
		}
		l.Flush()

		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%.40q: -want +got:\n%s", c.pieces, diff)
		}
	}
}

// A step that prints 200 MB without a newline costs one line of memory.
func TestLines_HoldOneLineAtMost(t *testing.T) {
	piece := []byte(strings.Repeat("x", 32<<10))
	var lines int
	l := dockerfile.Lines{Emit: func(string) { lines++ }}

	allocated := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, _ = l.Write(piece)
		}
	}).AllocedBytesPerOp()

	if allocated > 1 || lines != 0 {
		t.Errorf("got %d bytes allocated for each 32 kB, %d lines; want none", allocated, lines)
	}
}
