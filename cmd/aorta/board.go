package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"aorta/pacemaker/steps"
)

const (
	// boardLines is how many lines below a step are drawn; a cursor does not get
	// back to what has left the screen.
	boardLines = 8
	boardTick  = time.Second
)

// board draws the steps of a job in place, on a terminal: log lines scroll away
// above it. A goroutine draws the time that steps take until close.
type board struct {
	out  *screen
	now  func() time.Time
	stop chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex // guards the rest, and what is on the screen
	steps map[string]steps.Step
	byJob map[string]string
	drawn int // lines on the screen
}

func newBoard(out *screen, now func() time.Time) *board {
	b := &board{out: out, now: now, stop: make(chan struct{}), steps: map[string]steps.Step{}, byJob: map[string]string{}}
	b.done.Go(b.tick)
	return b
}

// close leaves the last drawing on the screen.
func (b *board) close() {
	close(b.stop)
	b.done.Wait()
}

func (b *board) tick() {
	t := time.NewTicker(boardTick)
	defer t.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-t.C:
			b.mu.Lock()
			b.draw("")
			b.mu.Unlock()
		}
	}
}

// Step draws a step as it is now.
func (b *board) Step(s steps.Step) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.steps[s.ID] = s
	for _, job := range s.Jobs {
		b.byJob[job] = s.ID
	}
	b.draw("")
}

// Log prints a job's line above the steps.
func (b *board) Log(job, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.steps[b.byJob[job]]; s.Parent != "" {
		text = s.Short() + ": " + text
	}
	b.draw("  " + b.out.paint(muted, "│ ") + text + "\n")
}

// draw replaces the drawing, with a text above it that stays. Long lines are cut
// by the terminal: one that wraps would be two to go back over.
func (b *board) draw(above string) {
	var text strings.Builder
	if b.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\r\x1b[J", b.drawn)
	}
	lines := b.lines()
	b.drawn = len(lines)
	text.WriteString(above + "\x1b[?7l")
	for _, l := range lines {
		text.WriteString(l + "\n")
	}
	text.WriteString("\x1b[?7h")
	// Nothing can be reported on a closed stream; SIGPIPE ends the process.
	_, _ = fmt.Fprint(b.out.w, text.String())
}

// lines are the steps in their order, with the lines below each.
func (b *board) lines() []string {
	var out []string
	for _, s := range b.below("") {
		out = append(out, s.Text(b.now(), b.out.paintState))
		list := b.below(s.ID)
		slices.SortStableFunc(list, func(x, y steps.Step) int { return cmp.Compare(boardRank(x), boardRank(y)) })
		for _, line := range list[:min(len(list), boardLines)] {
			out = append(out, "  "+line.Text(b.now(), b.out.paintState))
		}
		if more := len(list) - boardLines; more > 0 {
			out = append(out, fmt.Sprintf("  … %d more", more))
		}
	}
	return out
}

// boardRank puts first what is worth a look.
func boardRank(s steps.Step) int {
	switch {
	case s.Failed():
		return 0
	case !s.Over():
		return 1
	}
	return 2
}

// below are the lines of a step, or the steps of "".
func (b *board) below(parent string) []steps.Step {
	var list []steps.Step
	for _, s := range b.steps {
		if s.Parent == parent {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(x, y steps.Step) int { return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.ID, y.ID)) })
	return list
}
