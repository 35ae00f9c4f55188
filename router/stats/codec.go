package stats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// A record is one step's counters, packed, and tells its own end; records of
// one step in one string are added up. All numbers are uvarints:
//
//	step (from the key's start), flags, requests, [attempts], bytes,
//	[count of each class in flags], [buckets: how many, then each]
//
// A bucket is count*2, or count*2+1 and the gap, where it does not follow
// the bucket before it.
const (
	flagClasses  = 0x1f // bit 0 is class 1
	flagLatency  = 0x20
	flagAttempts = 0x40 // not as many as requests
	flagAlike    = 0x80 // the one class counts as much as requests
)

// errPacked says that a value in Redis is none of ours, or was cut.
var errPacked = errors.New("the packed counters are broken")

// steps holds counters by the time, in unix seconds, of their step.
type steps map[int64]Counters

func (s steps) add(at int64, c Counters) {
	sum := s[at]
	sum.Add(c)
	s[at] = sum
}

// coarser is the same by longer steps.
func (s steps) coarser(step int64) steps {
	out := steps{}
	for at, c := range s {
		out.add(at-at%step, c)
	}
	return out
}

// pack writes records for a key of level l that starts at start.
func (s steps) pack(l level, start int64) []byte {
	var b []byte
	for _, at := range slices.Sorted(maps.Keys(s)) {
		b = appendRecord(binary.AppendUvarint(b, uint64((at-start)/l.step)), s[at])
	}
	return b
}

func appendRecord(b []byte, c Counters) []byte {
	var flags uint64
	for i, n := range c.Status[1:] {
		if n > 0 {
			flags |= 1 << i
		}
	}
	if bits.OnesCount64(flags) == 1 && c.Status[1+bits.TrailingZeros64(flags)] == c.Requests {
		flags |= flagAlike
	}
	if c.Attempts != c.Requests {
		flags |= flagAttempts
	}
	if len(c.Latency) > 0 {
		flags |= flagLatency
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, flags), c.Requests)
	if flags&flagAttempts != 0 {
		b = binary.AppendUvarint(b, c.Attempts)
	}
	b = binary.AppendUvarint(b, c.Bytes)
	for _, n := range c.Status[1:] {
		if n > 0 && flags&flagAlike == 0 {
			b = binary.AppendUvarint(b, n)
		}
	}
	return appendLatency(b, c.Latency)
}

func appendLatency(b []byte, h Histogram) []byte {
	if len(h) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(h)))
	next := uint8(0)
	for _, bucket := range h {
		if gap := bucket.Index - next; gap > 0 {
			b = binary.AppendUvarint(binary.AppendUvarint(b, bucket.N<<1|1), uint64(gap))
		} else {
			b = binary.AppendUvarint(b, bucket.N<<1)
		}
		next = bucket.Index + 1
	}
	return b
}

// unpack adds a key's records to s.
func (s steps) unpack(l level, start int64, packed string) error {
	r := reader{rest: []byte(packed)}
	for len(r.rest) > 0 {
		step := r.next()
		if step >= uint64(l.span/l.step) {
			r.broken = true
		}
		c := r.record()
		if r.broken {
			return fmt.Errorf("read the %s of %d: %w", l.name, start, errPacked)
		}
		s.add(start+int64(step)*l.step, c)
	}
	return nil
}

// reader takes numbers from rest; once broken, all of them are 0.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) next() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || r.broken {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) record() (c Counters) {
	flags := r.next()
	c.Requests = r.next()
	c.Attempts = c.Requests
	if flags&flagAttempts != 0 {
		c.Attempts = r.next()
	}
	c.Bytes = r.next()
	for i := range 5 {
		switch {
		case flags&(1<<i) == 0:
		case flags&flagAlike != 0:
			c.Status[1+i] = c.Requests
		default:
			c.Status[1+i] = r.next()
		}
	}
	if flags&flagLatency != 0 {
		c.Latency = r.latency()
	}
	return c
}

func (r *reader) latency() Histogram {
	count := r.next()
	if count > uint64(len(bucketLow)) {
		r.broken = true
		return nil
	}
	h := make(Histogram, 0, count)
	at := uint64(0)
	for range count {
		n := r.next()
		if n&1 != 0 {
			at += r.next()
		}
		if at >= uint64(len(bucketLow)) {
			r.broken = true
			return nil
		}
		h = append(h, Bucket{uint8(at), n >> 1})
		at++
	}
	return h
}
