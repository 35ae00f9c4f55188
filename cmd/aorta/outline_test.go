package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/web/wire"
)

// wide is a tree of one root with many stops below it, each behind a drain.
func wide(stops int, change func(i int, j *wire.Job)) wire.Job {
	root := wire.Job{ID: "r", Kind: "retire", Title: "Stop many", State: "running", CreatedAt: ago(time.Minute)}
	for i := range stops {
		id := fmt.Sprintf("s%d", i)
		drain := wire.Job{ID: "d" + id, Parent: id, Kind: "drain", Title: "Drain " + id, State: "succeeded"}
		stop := wire.Job{ID: id, Parent: "r", Kind: "stop", Title: "Stop " + id, State: "succeeded", Children: []wire.Job{drain}}
		if change != nil {
			change(i, &stop)
		}
		root.Children = append(root.Children, stop)
	}
	return root
}

func outlined(fold bool, j wire.Job) string {
	var b strings.Builder
	outline{out: &screen{w: &b}, now: noon, fold: fold}.print(j)
	return b.String()
}

func TestOutline_FoldsWhatIsDone(t *testing.T) {
	tree := wide(150, func(i int, j *wire.Job) {
		switch i {
		case 70:
			j.State, j.Error = "failed", "boom"
		case 80:
			j.State, j.StartedAt = "running", ago(5*time.Second)
		case 90:
			j.Children[0].State = "failed"
		case 100:
			j.Kind = "look"
		}
	})

	got := outlined(true, tree)

	want := `▸ Stop many  running  1m
  ✓ Stop s0  succeeded
    ✓ Drain s0  succeeded
  ✓ Stop s1  succeeded
    ✓ Drain s1  succeeded
  ✗ Stop s70  failed
      boom
    ✓ Drain s70  succeeded
  ▸ Stop s80  running  5.0s
    ✓ Drain s80  succeeded
  ✓ Stop s90  succeeded
    ✗ Drain s90  failed
  ✓ Stop s100  succeeded
    ✓ Drain s100  succeeded
  ✓ 144 more
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
}

func TestOutline_DurationsOfWhatBegan(t *testing.T) {
	root := wire.Job{ID: "r", Title: "Root", State: "running", CreatedAt: ago(2 * time.Minute), StartedAt: ago(time.Second), Children: []wire.Job{
		{ID: "a", Parent: "r", Title: "Done", State: "succeeded", CreatedAt: ago(time.Minute), StartedAt: ago(3 * time.Second), EndedAt: ago(time.Second)},
		{ID: "b", Parent: "r", Title: "Going on", State: "running", CreatedAt: ago(time.Minute), StartedAt: ago(90 * time.Second)},
		{ID: "c", Parent: "r", Title: "To come", State: "waiting", CreatedAt: ago(time.Minute)},
		{ID: "d", Parent: "r", Title: "Next try", State: "ready", CreatedAt: ago(time.Minute), StartedAt: ago(time.Second)},
		{ID: "e", Parent: "r", Title: "Never began", State: "aborted", CreatedAt: ago(time.Minute), EndedAt: ago(time.Second)},
	}}

	got := outlined(false, root)

	want := "▸ Root  running  2m\n  ✓ Done  succeeded  2.0s\n  ▸ Going on  running  1m30s\n  · To come  waiting\n  · Next try  ready\n  – Never began  cancelled\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outline (-want +got):\n%s", diff)
	}
}

func TestJobs_ShowFoldsLargeTreesAlone(t *testing.T) {
	api := newAPI(t)
	api.on("GET /jobs/large", 200, wide(150, nil))
	api.on("GET /jobs/small", 200, wide(19, nil))
	c := newCLI(t, api)

	for _, tc := range []struct {
		args  string
		lines int
	}{{"jobs show --tree large", 6}, {"jobs show --tree --all large", 301}, {"jobs show --tree small", 39}} {
		got := c.run(strings.Fields(tc.args)...)

		if n := strings.Count(got.out, "\n"); n != tc.lines {
			t.Errorf("%s: got %d lines, want %d:\n%s", tc.args, n, tc.lines, got.out)
		}
		if said := strings.Contains(got.err, "aorta jobs show --all large"); said != (tc.lines == 6) {
			t.Errorf("%s: got %q on stderr, want how to see all where it is folded", tc.args, got.err)
		}
	}
	whole := c.run("jobs", "show", "large", "--json")
	if n := strings.Count(whole.out, `"id":`); n != 301 {
		t.Errorf("got %d jobs as JSON, want 301", n)
	}
}

func TestJobs_ShowIsColouredOnATerminal(t *testing.T) {
	c := newCLI(t, shop(t))
	c.term = true

	got := c.run("jobs", "show", "j1")

	wantIn(t, "stdout", got.out, "\x1b[32m✓\x1b[0m Deploy shop  \x1b[2msucceeded\x1b[0m\n", "\x1b[2m3.0s\x1b[0m")
}
