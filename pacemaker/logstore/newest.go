package logstore

import (
	"cmp"
	"slices"

	"aorta/pacemaker/cluster"
)

// hit is a line that matched.
type hit struct {
	nano int64
	seq  uint64
	line cluster.LogLine
}

func compareHits(a, b hit) int {
	return cmp.Or(cmp.Compare(a.nano, b.nano), cmp.Compare(a.seq, b.seq))
}

// maxAnswer bounds the texts of one answer, in bytes, whatever its limit.
const maxAnswer = 64 << 20

// newest keeps the newest hits up to a limit, in whatever order they come.
type newest struct {
	limit int
	hits  []hit
	bytes int   // of their texts
	floor int64 // what is older can't be among them
}

// add takes a hit. Sorting now and then, not each time, keeps it cheap.
func (n *newest) add(h hit) {
	n.hits = append(n.hits, h)
	n.bytes += len(h.line.Text)
	if len(n.hits) >= 2*n.limit+64 || n.bytes > 2*maxAnswer {
		n.trim()
	}
}

func (n *newest) trim() {
	slices.SortFunc(n.hits, compareHits)
	first, bytes := len(n.hits), 0
	for first > 0 && len(n.hits)-first < n.limit {
		size := len(n.hits[first-1].line.Text)
		if bytes+size > maxAnswer {
			break
		}
		first, bytes = first-1, bytes+size
	}
	n.bytes = bytes
	if first == 0 && len(n.hits) < n.limit {
		return
	}
	n.hits = slices.Delete(n.hits, 0, first)
	n.floor = n.hits[0].nano
}

// inOrder gives the lines, oldest first.
func (n *newest) inOrder() []cluster.LogLine {
	n.trim()
	lines := make([]cluster.LogLine, 0, len(n.hits))
	for _, h := range n.hits {
		lines = append(lines, h.line)
	}
	return lines
}
