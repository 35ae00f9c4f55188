package logstore

import (
	"fmt"
	"time"

	"aorta/pacemaker/cluster"
)

// batch is what one call of Append adds to an app: parts that go on where the
// stored output of their instances ends.
type batch struct {
	buf     []byte // the lines in their stored form
	lines   tally
	moved   positions // by this batch
	refused []cluster.LogPosition
}

// newBatch takes the parts that fit behind what is stored.
func newBatch(parts []cluster.LogPart, stored positions, now time.Time) *batch {
	b := &batch{moved: positions{}, lines: noLines, buf: make([]byte, 0, storedSize(parts))}
	for _, p := range parts {
		at, again := b.moved[p.Instance]
		if !again {
			at = stored[p.Instance]
		}
		if p.From != at.at {
			b.refused = append(b.refused, cluster.LogPosition{Instance: p.Instance, At: at.at})
			continue
		}
		b.add(p)
		if p.To != "" {
			b.moved[p.Instance] = position{at: p.To, moved: now.Unix()}
		}
	}
	return b
}

func (b *batch) add(p cluster.LogPart) {
	from := originOf(p.Instance, p.Type, p.Release, p.Node)
	for _, l := range p.Lines {
		nano := l.Time.UnixNano()
		b.buf = from.append(b.buf, nano, l.Stream, l.Text)
		b.lines.add(nano)
	}
}

// storedSize is about how much room the parts will take.
func storedSize(parts []cluster.LogPart) int {
	n := 512
	for _, p := range parts {
		n += 512
		for _, l := range p.Lines {
			n += len(l.Text) + len(l.Text)/16 + 128
		}
	}
	return n
}

// check refuses what would be stored twice when it is sent again.
func check(at int, p cluster.LogPart) error {
	switch field := fmt.Sprintf("parts[%d]", at); {
	case len(p.From) > cluster.MaxLogPosition || len(p.To) > cluster.MaxLogPosition:
		return cluster.Invalid(field, "a position has more than %d bytes", cluster.MaxLogPosition)
	case p.From == p.To && len(p.Lines) > 0:
		return cluster.Invalid(field, "holds %d lines and moves no position", len(p.Lines))
	case p.From != p.To && p.To == "":
		return cluster.Invalid(field, "moves the position of instance %.40q back to the beginning", p.Instance)
	}
	return nil
}
