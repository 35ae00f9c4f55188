package following

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"aorta/pacemaker/cluster"
)

// Position is one in the log lines of an operation: which of them were emitted.
// Each job has a log of its own and they are read one after the other, so one
// cursor can't say it: a line that is older may come later from another job.
type Position struct {
	before uint64            // every line of an earlier millisecond was
	jobs   map[string]string // and of these jobs all up to the cursor
}

// maxPosition bounds a position's text, in bytes: clients send it in a header.
const maxPosition = 8 << 10

// String is what ParsePosition reads: milliseconds, then job=cursor for each job
// that is further. It is empty where that would be too long, as amid the first
// poll of hundreds of logs: a reader that reconnects then gets some lines again.
func (p Position) String() string {
	var b strings.Builder
	b.WriteString(strconv.FormatUint(p.before, 10))
	for _, job := range slices.Sorted(maps.Keys(p.jobs)) {
		if c := p.jobs[job]; cursorParts(c)[0] >= p.before {
			fmt.Fprintf(&b, ",%s=%s", job, c)
		}
		if b.Len() > maxPosition {
			return ""
		}
	}
	return b.String()
}

// ParsePosition reads what String made; "" is the beginning.
func ParsePosition(field, s string) (Position, error) {
	p := Position{jobs: map[string]string{}}
	if s == "" {
		return p, nil
	}
	bad := cluster.Invalid(field, "%.40q is not an id of this stream", s)
	head, rest, more := strings.Cut(s, ",")
	before, err := strconv.ParseUint(head, 10, 64)
	if err != nil || len(s) > maxPosition {
		return p, bad
	}
	p.before = before
	for more {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		job, cursor, _ := strings.Cut(part, "=")
		if _, err := cluster.ParseID(job); err != nil || cursorText(cursorParts(cursor)) != cursor {
			return p, bad
		}
		p.jobs[job] = cursor
	}
	return p, nil
}

// of is the cursor of the last line of the job that was emitted, "" for none.
func (p Position) of(job string) string {
	cursor := ""
	if p.before > 0 {
		cursor = cursorText([]uint64{p.before - 1, math.MaxUint64})
	}
	if own := p.jobs[job]; cursorLess(cursor, own) {
		return own
	}
	return cursor
}

// cursorLess compares two log cursors, <milliseconds>-<n>; "" is before all.
func cursorLess(a, b string) bool {
	return slices.Compare(cursorParts(a), cursorParts(b)) < 0
}

func cursorParts(c string) []uint64 {
	ms, seq, _ := strings.Cut(c, "-")
	m, _ := strconv.ParseUint(ms, 10, 64)
	n, _ := strconv.ParseUint(seq, 10, 64)
	return []uint64{m, n}
}

func cursorText(parts []uint64) string { return fmt.Sprintf("%d-%d", parts[0], parts[1]) }
