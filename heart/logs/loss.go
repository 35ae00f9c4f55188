package logs

import (
	"fmt"
	"time"

	"aorta/pacemaker/cluster"
)

// systemStream is the stream of the platform's own words.
const systemStream = "system"

// loss is what was dropped on purpose.
type loss struct {
	lines int
	last  time.Time // when the last of them was printed
	held  int64     // the bound that was reached, bytes
	why   string
}

// note says it in the app's log.
func (l loss) note() (cluster.LogText, bool) {
	if l.lines == 0 {
		return cluster.LogText{}, false
	}
	text := fmt.Sprintf("%s dropped here: they waited for the log store, and a node holds %s of an instance's output beside the engine's own files; %s",
		counted(l.lines, "line was", "lines were"), cluster.Bytes(l.held), l.why)
	return cluster.LogText{Time: l.last, Stream: systemStream, Text: text}, true
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// drop lets go of files that the engine has removed and that nobody read, the
// oldest first, until no more is held than is allowed, and counts their lines.
// Behind says why nobody read them.
func (f *follower) drop(r *reader, behind string) {
	for held, oldest := f.files.gone(); held > f.o.Held; held, oldest = f.files.gone() {
		if f.known {
			f.begin(r)
			f.dropLines(r, oldest, behind)
		} else {
			// How much of it the store has is not known yet.
			f.files.full = true
		}
		next := f.files.forget(oldest)
		if f.at.file == oldest {
			f.at, f.asm = place{file: next}, assembler{}
		}
	}
}

// dropLines counts what is lost with a file.
func (f *follower) dropLines(r *reader, oldest *file, behind string) {
	from := place{file: oldest}
	if f.at.file == oldest {
		from = f.at
	}
	if f.at.file != nil && f.at.file.nth > oldest.nth || oldest.cut {
		return // it was read, or can't be
	}
	n, last, err := r.count(from)
	if err != nil {
		f.missing(fmt.Sprintf("after %s: %v", f.lastText(), err))
	}
	if n > 0 {
		f.lost = loss{lines: f.lost.lines + n, last: last, held: f.o.Held, why: behind}
	}
}
