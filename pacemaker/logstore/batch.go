package logstore

import (
	"hash/fnv"
	"time"

	"aorta/pacemaker/cluster"
)

// maxTail is how many lines of each instance are remembered from before a
// restart, to know again the batch that was being sent.
const maxTail = 4096

// batches knows the last batch of each instance, so that one that is sent
// again, because its answer was lost, is stored once.
type batches struct {
	last map[cluster.ID]batch
	// tails are the sums of the lines found on disk at the start, where a
	// batch's borders can't be seen. An instance's first batch ends its tail.
	tails map[cluster.ID][]uint64
}

type batch struct {
	sum uint64
	n   int
	at  time.Time
}

func newBatches() *batches {
	return &batches{last: map[cluster.ID]batch{}, tails: map[cluster.ID][]uint64{}}
}

// remember adds a line that was found on disk.
func (b *batches) remember(instance cluster.ID, stored []byte) {
	t := append(b.tails[instance], sum(stored))
	if len(t) > 2*maxTail {
		t = append(t[:0], t[len(t)-maxTail:]...)
	}
	b.tails[instance] = t
}

// known tells how many lines at the head of a batch are stored already.
func (b *batches) known(instance cluster.ID, lines [][]byte) int {
	if t, ok := b.tails[instance]; ok {
		return overlap(t, lines)
	}
	if last, ok := b.last[instance]; ok && last.n == len(lines) && last.sum == sumAll(lines) {
		return len(lines)
	}
	return 0
}

// stored notes that a batch is on disk now.
func (b *batches) stored(instance cluster.ID, lines [][]byte, now time.Time) {
	delete(b.tails, instance)
	b.last[instance] = batch{sum: sumAll(lines), n: len(lines), at: now}
}

// forget drops what is older than t; nobody sends that again.
func (b *batches) forget(t time.Time) {
	for id, last := range b.last {
		if last.at.Before(t) {
			delete(b.last, id)
		}
	}
}

// overlap is the longest head of the batch that is the tail of what is stored:
// a kill may have come in the middle of the batch.
func overlap(tail []uint64, lines [][]byte) int {
	sums := make([]uint64, len(lines))
	for i, l := range lines {
		sums[i] = sum(l)
	}
	for k := min(len(tail), len(sums)); k > 0; k-- {
		if equal(tail[len(tail)-k:], sums[:k]) {
			return k
		}
	}
	return 0
}

func equal(a, b []uint64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func sum(stored []byte) uint64 { return sumAll([][]byte{stored}) }

func sumAll(lines [][]byte) uint64 {
	h := fnv.New64a()
	for _, l := range lines {
		_, _ = h.Write(l)
	}
	return h.Sum64()
}
