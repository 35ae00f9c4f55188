package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// screen is an output stream and what it supports.
type screen struct {
	w        io.Writer
	terminal bool
	colour   bool
	redraws  bool // what was printed can be printed over
}

func (p *Program) screen(w io.Writer) *screen {
	terminal := p.IsTerminal(w)
	plain := p.Getenv("NO_COLOR") != "" || p.Getenv("TERM") == "dumb"
	return &screen{w: w, terminal: terminal, colour: terminal && !plain, redraws: terminal && p.Getenv("TERM") != "dumb"}
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
	good  = "32"
	bad   = "31"
	muted = "2"
	live  = "36"
)

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// table is rows of aligned columns.
type table struct {
	out  *screen
	rows [][]string
}

// newTable starts a table with its headings.
func (s *screen) newTable(headings ...string) *table {
	return &table{out: s, rows: [][]string{headings}}
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// print prints the table, or the text for an empty one.
func (t *table) print(empty string) error {
	if len(t.rows) == 1 {
		if empty != "" {
			t.out.line("%s", empty)
		}
		return nil
	}
	w := tabwriter.NewWriter(&trimmed{w: t.out.w}, 0, 8, 2, ' ', 0)
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = clean(cell)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// fields prints names and values, one pair a line, and skips empty values.
func (s *screen) fields(pairs ...string) error {
	w := tabwriter.NewWriter(s.w, 0, 8, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", pairs[i], clean(pairs[i+1]))
		}
	}
	return w.Flush()
}

// trimmed removes the spaces that aligning leaves at the ends of lines.
type trimmed struct {
	w    io.Writer
	held []byte
}

// Write holds spaces back until something else than a line's end follows.
func (t *trimmed) Write(p []byte) (int, error) {
	var out []byte
	for _, b := range p {
		switch b {
		case ' ':
			t.held = append(t.held, b)
		case '\n':
			t.held = t.held[:0]
			out = append(out, b)
		default:
			out = append(append(out, t.held...), b)
			t.held = t.held[:0]
		}
	}
	if _, err := t.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
