package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// screen is an output stream and what it supports.
type screen struct {
	w        io.Writer
	terminal bool
	colour   bool
	redraws  bool // what was printed can be printed over
	width    int  // columns that lines have at most; 0 for any number
}

func (p *Program) screen(w io.Writer) *screen {
	terminal := p.IsTerminal(w)
	plain := p.Getenv("NO_COLOR") != "" || p.Getenv("TERM") == "dumb"
	return &screen{w: w, terminal: terminal, colour: terminal && !plain, redraws: terminal && p.Getenv("TERM") != "dumb", width: p.width(w)}
}

// usualWidth is that of a terminal which says nothing else, and of what is no
// terminal.
const usualWidth = 80

func (p *Program) width(w io.Writer) int {
	if p.Width != nil {
		if n := p.Width(w); n > 0 {
			return n
		}
	}
	return usualWidth
}

// terminalWidth is a terminal's width; 0 for what is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// line prints one line. Text that is not ours must be cleaned before.
func (s *screen) line(format string, args ...any) {
	// Nothing can be reported on a closed stream; SIGPIPE ends the process.
	_, _ = fmt.Fprintf(s.w, format+"\n", args...)
}

// json prints v as one indented document.
func (s *screen) json(v any) error {
	e := json.NewEncoder(s.w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// jsonLine prints v on one line, for streams.
func (s *screen) jsonLine(v any) error { return json.NewEncoder(s.w).Encode(v) }

// list prints a JSON array, [] if there are no items.
func list[T any](s *screen, items []T) error {
	if items == nil {
		items = []T{}
	}
	return s.json(items)
}

// Colours, as SGR parameters.
const (
	good    = "32"
	bad     = "31"
	warning = "33"
	muted   = "2"
	live    = "36"
)

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// fields prints names and values, one pair a line, and skips empty values. A long
// value goes on below its beginning.
func (s *screen) fields(pairs ...string) error {
	names := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			names = max(names, columns(pairs[i]))
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name := pairs[i]
		for line := range strings.Lines(strings.TrimSpace(pairs[i+1])) {
			for _, part := range wrap(clean(strings.TrimRight(line, "\r\n")), s.beside(names+gap)) {
				s.line("%-*s%s", names+gap, name, part)
				name = ""
			}
		}
	}
	return nil
}
