package pacemaker

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"aorta/pacemaker/cluster"
)

// Mark is a place in the log lines of an operation: which of them were told.
// Each job has a log of its own and they are read one after the other, so one
// cursor can't say it: a line that is older may come later from another job.
type Mark struct {
	before uint64            // every line of an earlier millisecond was told
	jobs   map[string]string // and of these jobs all up to the cursor
}

// maxMark bounds a mark's text, in bytes: clients send it in a header.
const maxMark = 8 << 10

// String is what ParseMark reads: milliseconds, then job=cursor for each job
// that is further. It is empty where that would be too long, as amid the first
// look at hundreds of logs: who comes back then hears some lines again.
func (m Mark) String() string {
	var b strings.Builder
	b.WriteString(strconv.FormatUint(m.before, 10))
	for _, job := range slices.Sorted(maps.Keys(m.jobs)) {
		if c := m.jobs[job]; cursorParts(c)[0] >= m.before {
			fmt.Fprintf(&b, ",%s=%s", job, c)
		}
		if b.Len() > maxMark {
			return ""
		}
	}
	return b.String()
}

// ParseMark reads what String made; "" is the beginning.
func ParseMark(field, s string) (Mark, error) {
	m := Mark{jobs: map[string]string{}}
	if s == "" {
		return m, nil
	}
	bad := cluster.Invalid(field, "%.40q is not an id of this stream", s)
	head, rest, more := strings.Cut(s, ",")
	before, err := strconv.ParseUint(head, 10, 64)
	if err != nil || len(s) > maxMark {
		return m, bad
	}
	m.before = before
	for more {
		var part string
		part, rest, more = strings.Cut(rest, ",")
		job, cursor, _ := strings.Cut(part, "=")
		if _, err := cluster.ParseID(job); err != nil || cursorText(cursorParts(cursor)) != cursor {
			return m, bad
		}
		m.jobs[job] = cursor
	}
	return m, nil
}

// of is the cursor of the last line of the job that was told, "" for none.
func (m Mark) of(job string) string {
	cursor := ""
	if m.before > 0 {
		cursor = cursorText([]uint64{m.before - 1, math.MaxUint64})
	}
	if own := m.jobs[job]; cursorLess(cursor, own) {
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
