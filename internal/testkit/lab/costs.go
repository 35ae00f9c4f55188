package lab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Cost is what a fault has cost those who asked meanwhile: a line of a table that is
// read, and by which no test is judged. Only the test that has it uses it.
type Cost struct {
	Fault       string
	Gets, Posts *Tally // of those who asked; nil: nobody did

	struck, known, ended, whole time.Time
}

// Strikes notes that the fault happens now. Without a moment the table has a dash;
// the first one of a kind counts.
func (c *Cost) Strikes() { note(&c.struck) }

// Known notes that the cluster says by now what is wrong.
func (c *Cost) Known() { note(&c.known) }

// Ends notes that the test takes the fault away now; one that lasts has no end.
func (c *Cost) Ends() { note(&c.ended) }

// Whole notes that all is served as before, or all that was wanted is there again.
func (c *Cost) Whole() { note(&c.whole) }

func note(moment *time.Time) {
	if moment.IsZero() {
		*moment = time.Now()
	}
}

// String is the line.
func (c *Cost) String() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", c.Fault, share(c.Gets), share(c.Posts), span(c.struck, c.known), span(cmp.Or(c.ended, c.struck), c.whole))
}

// share is how many of a load's requests failed.
func share(t *Tally) string {
	if t == nil {
		return "—"
	}
	return fmt.Sprintf("%d of %d", t.Failed, t.OK+t.Failed)
}

func span(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "—"
	}
	return fmt.Sprintf("%.1f s", to.Sub(from).Seconds())
}

// Costs are those of all tests of a package.
type Costs struct {
	mu  sync.Mutex // guards all
	all []*Cost
}

// Add takes one that is complete.
func (c *Costs) Add(cost *Cost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, cost)
}

// costsHead is what stands above the lines. All is whole again so long after the fault
// struck, or after its end where the test ends it.
const costsHead = "| fault | GET failed | POST failed | named after | whole again after |\n|---|---|---|---|---|\n"

// Print writes the table, in Markdown, in the order of the names.
func (c *Costs) Print(to io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := costsHead
	for _, cost := range slices.SortedFunc(slices.Values(c.all), func(a, b *Cost) int { return cmp.Compare(a.Fault, b.Fault) }) {
		text += cost.String() + "\n"
	}
	_, err := io.WriteString(to, text)
	return err
}
