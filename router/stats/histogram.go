package stats

import (
	"cmp"
	"math"
	"slices"
)

// Histogram counts latencies in buckets, sparse and in the order of the
// buckets. Bucket 0 is everything below half a millisecond; from 1 ms on a
// bucket's highest value is at most 1.1 times its lowest, up to an hour.
type Histogram []Bucket

// Bucket is how many requests took about as long.
type Bucket struct {
	Index uint8
	N     uint64
}

const (
	bucketGrowth = 1.1
	maxMs        = 3_600_000
	directMs     = 4096 // below it a table gives the bucket
)

// bucketLow holds each bucket's lowest value in ms; the last bucket is open.
// The data in Redis depends on these bounds: they never change.
var bucketLow = bucketBounds()

var directIndex = func() (table [directMs]uint8) {
	for ms := range table {
		table[ms] = searchBucket(uint32(ms))
	}
	return table
}()

func bucketBounds() []uint32 {
	bounds := []uint32{0}
	for low := uint32(1); low <= maxMs; {
		bounds = append(bounds, low)
		low = max(low, uint32(float64(low)*bucketGrowth)) + 1
	}
	return bounds
}

func searchBucket(ms uint32) uint8 {
	i, found := slices.BinarySearch(bucketLow, ms)
	if !found {
		i--
	}
	return uint8(i)
}

// bucketOf is the bucket of a latency; nonsense (negative, NaN) counts as 0.
func bucketOf(seconds float64) uint8 {
	ms := seconds*1000 + 0.5
	switch {
	case !(ms >= 1):
		return 0
	case ms < directMs:
		return directIndex[int(ms)]
	case ms >= maxMs:
		return uint8(len(bucketLow) - 1)
	}
	return searchBucket(uint32(ms))
}

// middle is the value in ms that is nearest to all of a bucket's, as a ratio.
func middle(index uint8) float64 {
	i := int(index)
	if i >= len(bucketLow)-1 {
		return float64(bucketLow[len(bucketLow)-1])
	}
	return math.Sqrt(float64(bucketLow[i]) * float64(bucketLow[i+1]-1))
}

// observe adds n to one bucket in place.
func (h *Histogram) observe(index uint8, n uint64) {
	i, found := slices.BinarySearchFunc(*h, index, func(b Bucket, at uint8) int { return cmp.Compare(b.Index, at) })
	if found {
		(*h)[i].N += n
		return
	}
	*h = slices.Insert(*h, i, Bucket{index, n})
}

// plus is the sum as a new value: neither side changes.
func (h Histogram) plus(o Histogram) Histogram {
	if len(o) == 0 {
		return h
	}
	sum := make(Histogram, 0, len(h)+len(o))
	for len(h) > 0 && len(o) > 0 {
		switch a, b := h[0], o[0]; {
		case a.Index < b.Index:
			sum, h = append(sum, a), h[1:]
		case a.Index > b.Index:
			sum, o = append(sum, b), o[1:]
		default:
			sum, h, o = append(sum, Bucket{a.Index, a.N + b.N}), h[1:], o[1:]
		}
	}
	return append(append(sum, h...), o...)
}

// Within counts those that took at most so many ms, as far as buckets tell.
func (h Histogram) Within(ms uint32) uint64 {
	var n uint64
	for _, b := range h {
		if next := int(b.Index) + 1; next < len(bucketLow) && bucketLow[next]-1 <= ms {
			n += b.N
		}
	}
	return n
}

// Sum adds up how many there are, and the ms that they took, within 5 %.
func (h Histogram) Sum() (count uint64, ms float64) {
	for _, b := range h {
		count += b.N
		ms += float64(b.N) * middle(b.Index)
	}
	return count, ms
}
