package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// table is rows of aligned columns. A cell that makes its lines too long for the
// screen is cut, those of the first column last: people copy them into commands.
type table struct {
	out     *screen
	rows    [][]string
	wide    []string // columns that --wide alone prints
	below   string   // column that goes below its rows where a line does not fit
	whole   string   // column whose cells are told whole below their rows if they are cut
	told    []string // what was said above: cells that are in it are not told again
	unnamed bool     // the first column is one like the others
	// notes are what is said below rows, by their index.
	notes map[int][]string
}

// newTable starts a table with its headings.
func (s *screen) newTable(headings ...string) *table {
	return &table{out: s, rows: [][]string{headings}, notes: map[int][]string{}}
}

// onlyWide names columns that are left out where width is scarce.
func (t *table) onlyWide(headings ...string) *table {
	t.wide = headings
	return t
}

// orBelow names a column that is better below its rows than cut, since people copy it,
// and one that is cut only if it is said whole below.
func (t *table) orBelow(copied, read string) *table {
	t.below, t.whole = copied, read
	return t
}

// withoutNames says that no command takes what is in the first column.
func (t *table) withoutNames() *table {
	t.unnamed = true
	return t
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// note adds a text below the last row, where it has room.
func (t *table) note(text string) {
	if text != "" {
		t.notes[len(t.rows)-1] = append(t.notes[len(t.rows)-1], text)
	}
}

// print prints the table, or the text for an empty one.
func (t *table) print(empty string) error {
	if len(t.rows) == 1 {
		if empty != "" {
			t.out.line("%s", empty)
		}
		return nil
	}
	t.leaveOut()
	widths := t.widths()
	if i := slices.Index(t.rows[0], t.below); i > 0 && t.out.width > 0 && lineOf(widths) > t.out.width {
		t.putBelow(i)
		widths = t.widths()
	}
	t.fit(widths)
	whole := slices.Index(t.rows[0], t.whole)
	for r, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i == whole && columns(cell) > widths[i] && !t.isTold(cell) {
				t.notes[r] = append([]string{cell}, t.notes[r]...)
			}
			cell = cut(cell, widths[i])
			line.WriteString(cell + strings.Repeat(" ", widths[i]-columns(cell)+gap))
		}
		t.out.line("%s", strings.TrimRight(line.String(), " "))
		for _, note := range t.notes[r] {
			t.printNote(note, min(widths[0]+gap, mostIndent))
		}
	}
	return nil
}

// isTold says that a cell was said whole above the table.
func (t *table) isTold(cell string) bool {
	return slices.ContainsFunc(t.told, func(text string) bool { return strings.Contains(clean(text), cell) })
}

// widths are those of the columns, whose cells are made fit to print.
func (t *table) widths() []int {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = clean(cell)
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	return widths
}

// putBelow makes the cells of a column notes of their rows.
func (t *table) putBelow(at int) {
	for r, row := range t.rows {
		if cell := row[at]; r > 0 && cell != "" && cell != "-" {
			t.notes[r] = append(t.notes[r], cell)
		}
		t.rows[r] = slices.Delete(slices.Clone(row), at, at+1)
	}
}

func (t *table) printNote(text string, indent int) {
	if t.out.width > 0 && columns(text) > t.out.beside(indent) && !strings.Contains(text, " ") {
		indent = gap // so that one word, such as an address, stays in one piece
	}
	for _, line := range wrap(clean(text), t.out.beside(indent)) {
		t.out.line("%s%s", strings.Repeat(" ", indent), line)
	}
}

// gap is the space between two columns.
const gap = 2

// leaveOut removes the columns that are not printed, and those that have no cell.
func (t *table) leaveOut() {
	for i := len(t.rows[0]) - 1; i > 0; i-- {
		scarce := t.out.width > 0 && slices.Contains(t.wide, t.rows[0][i])
		if !scarce && slices.ContainsFunc(t.rows[1:], func(row []string) bool { return row[i] != "" }) {
			continue
		}
		for r, row := range t.rows {
			t.rows[r] = slices.Delete(slices.Clone(row), i, i+1)
		}
	}
}

const (
	// narrow is what columns are narrowed to at first, so that numbers stay whole.
	narrow = 9
	// mostIndent is how far a note is put to the right.
	mostIndent = 24
)

// fit narrows the widest columns until a line fits, none below its heading.
func (t *table) fit(widths []int) {
	total := lineOf(widths)
	for _, least := range t.phases(widths) {
		for t.out.width > 0 && total > t.out.width {
			at := t.widest(widths, least.first, least.others)
			if at < 0 {
				break
			}
			widths[at]--
			total--
		}
	}
}

// lineOf is how long a line of columns is.
func lineOf(widths []int) int {
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total
}

// floors are the widths that columns keep in a phase of fitting.
type floors struct{ first, others int }

// phases narrow those that are not narrow before the others, and the first one
// last. One that does not fit beside headings is cut before the others are for
// nothing.
func (t *table) phases(widths []int) []floors {
	whole, headings := widths[0], widths[0]
	for _, heading := range t.rows[0][1:] {
		headings += gap + columns(heading)
	}
	switch {
	case t.unnamed:
		return []floors{{narrow, narrow}, {0, 0}}
	case headings > t.out.width:
		return []floors{{whole, narrow}, {narrow, narrow}, {0, 0}}
	}
	return []floors{{whole, narrow}, {whole, 0}}
}

// widest is the widest column that may get narrower; -1 if there is none.
func (t *table) widest(widths []int, leastFirst, least int) int {
	widest := -1
	for i, w := range widths {
		floor := max(least, columns(t.rows[0][i]))
		if i == 0 {
			floor = max(leastFirst, columns(t.rows[0][0]))
		}
		if w > floor && (widest < 0 || w >= widths[widest]) {
			widest = i
		}
	}
	return widest
}

// columns is how many columns of a screen a text takes.
func columns(text string) int {
	if strings.Contains(text, "\x1b") {
		text = sgrs.ReplaceAllString(text, "")
	}
	return utf8.RuneCountInString(text)
}

// sgrs matches what colours a text and takes no column.
var sgrs = regexp.MustCompile("\x1b\\[[0-9;:]*m")

// cut shortens a text to a number of columns.
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:width-1]), " ") + "…"
}
