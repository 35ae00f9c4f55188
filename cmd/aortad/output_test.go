package main_test

import (
	"fmt"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

// What an app printed and what `aorta logs` has are the same, line by line and in
// order, though the engine rotates its files all the time and the daemon, heart
// and pacemaker both, is killed and away while the app goes on.
func TestOutput_IsInTheLogOnceAcrossKillsAndRotation(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "--output-file-bytes", "65536", "--output-files", "20")
	shop := c.newApp("shop", "testapp")
	shop.deploy()
	total := 0
	more := func(n int) {
		if status, body := shop.get(fmt.Sprintf("/print?n=%d", n)); status != 200 {
			t.Fatalf("let the app print: status %d, %s", status, body)
		}
		total += n
	}

	for range 3 {
		more(500)
		c.kill()
		more(2000)
		c.start()
		more(500)
	}

	var got []string
	testkit.Eventually(t, fmt.Sprintf("%d lines in the log", total), func() bool {
		got = shop.printed("")
		return len(got) >= total
	})
	if len(got) != total {
		t.Errorf("got %d lines, want %d", len(got), total)
	}
	for i, stream := range []string{"stdout", "stderr"} {
		n := i
		for _, l := range shop.printed(stream) {
			if want := fmt.Sprintf("printed %06d", n); l != want {
				t.Fatalf("%s: got %q, want %q", stream, l, want)
			}
			n += 2
		}
		if n != total+i {
			t.Errorf("%s: the last line is before %d, want it before %d", stream, n, total+i)
		}
	}
}

// printed are the app's numbered lines on a stream, or on both.
func (p *project) printed(stream string) (texts []string) {
	p.c.tb.Helper()
	for _, l := range asJSON[[]wire.LogLine](p.c, "logs", "-a", p.name, "-n", "10000") {
		if strings.HasPrefix(l.Text, "printed ") && (stream == "" || l.Stream == stream) {
			texts = append(texts, l.Text)
		}
	}
	return texts
}
