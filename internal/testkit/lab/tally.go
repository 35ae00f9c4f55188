package lab

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// Tally is what came of a load.
type Tally struct {
	mu        sync.Mutex     // guards the rest until the load has ended
	OK        int            // requests that the right app answered well
	Failed    int            // all others
	Instances map[string]int // good answers by "v12 INSTANCE"
	Routers   map[string][2]int
	Causes    map[string]int // of failures
	Answers   []Answer       // as they came
}

// Answer is what came of one request.
type Answer struct {
	Sent   time.Time
	Took   time.Duration
	OK     bool
	Via    string // the host of the router that was asked
	By     string // of a good one: who answered, "v12 INSTANCE"
	Post   bool
	Status int    // 0: there was no answer, or not a whole one
	Again  int    // how often the client sent it again, by itself, on another connection
	Cause  string // of a failure
}

// End is when it was answered, or had failed.
func (a Answer) End() time.Time { return a.Sent.Add(a.Took) }

func newTally() *Tally {
	return &Tally{Instances: map[string]int{}, Routers: map[string][2]int{}, Causes: map[string]int{}}
}

// add takes up what came of a request, and who answered it.
func (t *Tally) add(a Answer, by string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.OK {
		a.By = by
	}
	t.Answers = append(t.Answers, a)
	r := t.Routers[a.Via]
	if a.OK {
		t.OK++
		t.Instances[a.By]++
		r[0]++
	} else {
		t.Failed++
		t.Causes[a.Cause]++
		r[1]++
	}
	t.Routers[a.Via] = r
}

// Print writes it for people.
func (t *Tally) Print(to io.Writer) {
	fmt.Fprintf(to, "%d ok, %d failed\n", t.OK, t.Failed)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	defer func() { _ = w.Flush() }()
	for _, name := range slices.Sorted(maps.Keys(t.Routers)) {
		fmt.Fprintf(w, "through %s\t%d ok\t%d failed\n", name, t.Routers[name][0], t.Routers[name][1])
	}
	for _, by := range often(t.Instances) {
		fmt.Fprintf(w, "by %s\t%d\n", by, t.Instances[by])
	}
	for _, cause := range often(t.Causes) {
		fmt.Fprintf(w, "failed: %s\t%d\n", cause, t.Causes[cause])
	}
}

// often gives the keys with the highest counts first.
func often(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
