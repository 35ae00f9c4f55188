package main

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A table fits its screen as long as its headings do, and a wider one as it is.
func TestTable_FitsItsScreen(t *testing.T) {
	cell := rapid.StringMatching(`[a-zü ]{0,60}`)
	rapid.Check(t, func(t *rapid.T) {
		var out strings.Builder
		width := rapid.IntRange(40, 200).Draw(t, "width")
		table := (&screen{w: &out, width: width}).newTable("NAME", "STATE", "URL", "AGE")
		whole := (&screen{w: &out}).newTable("NAME", "STATE", "URL", "AGE")
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			row := []string{cell.Draw(t, "name"), cell.Draw(t, "state"), cell.Draw(t, "url"), cell.Draw(t, "age")}
			table.row(row...)
			whole.row(append([]string{}, row...)...)
		}

		_ = table.print("")
		fitted := out.String()
		out.Reset()
		_ = whole.print("")

		longest := func(text string) (n int) {
			for line := range strings.Lines(text) {
				n = max(n, columns(strings.TrimSuffix(line, "\n")))
			}
			return n
		}
		if longest(fitted) > width {
			t.Fatalf("got a line of %d columns, want %d at most:\n%s", longest(fitted), width, fitted)
		}
		if longest(out.String())+60 <= width && fitted != out.String() {
			t.Fatalf("got\n%s\nwant nothing cut:\n%s", fitted, out.String())
		}
	})
}

func TestTable_CutsWhatNamesALineLast(t *testing.T) {
	var out strings.Builder
	table := (&screen{w: &out, width: 40}).newTable("ID", "TITLE", "STATE").onlyWide("STATE")
	table.row("0123456789abcdef0123456789", "a long title of a job", "hidden")

	_ = table.print("")

	if want := "ID                          TITLE\n0123456789abcdef0123456789  a long titl…\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestTable_NotesStandBelowTheirRow(t *testing.T) {
	var out strings.Builder
	table := (&screen{w: &out, width: 40}).newTable("ID", "STATE", "AGE")
	table.row("web.1", "crashing (3 restarts)", "3m ago")
	table.note("exited with code 3: no database at 10.0.0.1")
	table.row("web.2", "running", "3m ago")

	_ = table.print("")

	want := "ID     STATE                  AGE\nweb.1  crashing (3 restarts)  3m ago\n" +
		"       exited with code 3: no database\n       at 10.0.0.1\nweb.2  running                3m ago\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// Nothing is lost by wrapping, but for spaces at the ends of lines.
func TestWrap_LosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zü]{1,30}( {1,2}[a-zü]{1,30}){0,10}`).Draw(t, "text")
		width := rapid.IntRange(1, 60).Draw(t, "width")

		lines := wrap(text, width)

		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(text) {
			t.Fatalf("got %q, want all of %q", lines, text)
		}
		for _, l := range lines {
			if columns(l) > width {
				t.Fatalf("got %q of %d columns, want %d at most", l, columns(l), width)
			}
		}
	})
}

func TestWrap_CountsNoColours(t *testing.T) {
	painted := "\x1b[31mred\x1b[0m and more"

	if got := fmt.Sprintf("%q", wrap(painted, 12)); got != fmt.Sprintf("%q", []string{painted}) {
		t.Errorf("got %s, want it whole", got)
	}
}

// The next step, in the last brackets, gets a line of its own; others stay where
// they are.
func TestSentence_PutsTheNextStepOnALine(t *testing.T) {
	for text, want := range map[string]string{
		"short (see aorta logs).": "▲ short (see aorta logs).\n",
		"it listens on 0.0.0.0:8000, not on PORT (5000); listen on it (see aorta jobs show 1a2b3c4d).":  "▲ it listens on 0.0.0.0:8000, not on PORT (5000); listen on it\n  (see aorta jobs show 1a2b3c4d).\n",
		"1 of 3 instances is crashing again and again (2 restarts): its process exited with code 3":     "▲ 1 of 3 instances is crashing again and again (2 restarts): its process exited\n  with code 3\n",
		"notes: 1 of 3 instances crashing (2 restarts): exited with code 3 (see aorta logs -a notes) .": "▲ notes: 1 of 3 instances crashing (2 restarts): exited with code 3 (see aorta\n  logs -a notes) .\n",
		"notes: 1 of 3 instances crashing (2 restarts): exited with code 3 (see aorta logs -a notes).":  "▲ notes: 1 of 3 instances crashing (2 restarts): exited with code 3\n  (see aorta logs -a notes).\n",
	} {
		var out strings.Builder

		(&screen{w: &out, width: 80}).sentence("▲ ", text)

		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	}
}
