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
	Sent time.Time
	Took time.Duration
	OK   bool
}

func newTally() *Tally {
	return &Tally{Instances: map[string]int{}, Routers: map[string][2]int{}, Causes: map[string]int{}}
}

func (t *Tally) answered(via, by string, sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Answers = append(t.Answers, Answer{Sent: sent, Took: time.Since(sent), OK: true})
	t.OK++
	t.Instances[by]++
	r := t.Routers[via]
	t.Routers[via] = [2]int{r[0] + 1, r[1]}
}

func (t *Tally) failed(via, cause string, sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Answers = append(t.Answers, Answer{Sent: sent, Took: time.Since(sent)})
	t.Failed++
	t.Causes[cause]++
	r := t.Routers[via]
	t.Routers[via] = [2]int{r[0], r[1] + 1}
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
