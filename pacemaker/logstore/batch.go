package logstore

import (
	"fmt"
	"time"

	"aorta/pacemaker/cluster"
)

// batch is what one call of Append adds to an app: parts that go on where the
// stored output of their instances ends.
type batch struct {
	buf     []byte    // the lines in their stored form
	nanos   []int64   // of each line
	sizes   []int     // of each line in buf
	moved   positions // by this batch
	refused []cluster.LogPosition
}

// newBatch takes the parts that fit behind what is stored.
func newBatch(parts []cluster.LogPart, stored positions, now time.Time) *batch {
	b := &batch{moved: positions{}}
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
	for _, l := range p.Lines {
		start := len(b.buf)
		b.buf = appendLine(b.buf, cluster.LogLine{
			Time: l.Time, Instance: p.Instance, Type: p.Type, Release: p.Release, Node: p.Node, Stream: l.Stream, Text: l.Text,
		})
		b.nanos = append(b.nanos, l.Time.UnixNano())
		b.sizes = append(b.sizes, len(b.buf)-start)
	}
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
