package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// blockBytes is how much of a file is read at once. No record is that long: the
// engine splits lines at 16 kB, and each byte takes six at most.
const blockBytes = 256 << 10

// reader reads records of files; it belongs to one goroutine.
type reader struct {
	block []byte
	parser
}

func newReader() *reader { return &reader{block: make([]byte, blockBytes)} }

// stretch is what to read: from a place up to an offset of its file, which has
// an end when the engine writes to another one.
type stretch struct {
	from  place
	until int64
	ended bool
}

// visit takes a record, which stands at a place. What was damaged is told before
// the record that follows it, or without one.
type visit func(r record, at place, damaged bool)

// nothing is what damage without a record after it comes with.
var nothing = record{}

// read gives the records of one block, up to the quota in bytes, and how many
// bytes were read. None are left in the stretch when it gives 0.
func (r *reader) read(s stretch, quota int, each visit) (int64, error) {
	size := min(int64(len(r.block)), s.until-s.from.offset)
	n, err := s.from.file.fd.ReadAt(r.block[:max(0, size)], s.from.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read the engine's log file: %w", err)
	}
	rest, done := r.block[:n], int64(0)
	for len(rest) > 0 && done < int64(quota) {
		at := place{s.from.file, s.from.offset + done}
		line, more, found := bytes.Cut(rest, []byte{'\n'})
		if !found {
			break
		}
		r.record(line, at, each)
		done += int64(len(line)) + 1
		rest = more
	}
	if done > 0 || n == 0 {
		return done, nil
	}
	// Not one whole record: the engine is writing it, or died while it did, or
	// it is no record at all.
	if n == len(r.block) || s.ended && errors.Is(err, io.EOF) {
		r.record(rest, s.from, each)
		return int64(n), nil
	}
	return 0, nil
}

func (r *reader) record(line []byte, at place, each visit) {
	rec, damaged, ok := r.parse(line)
	if !ok {
		rec = nothing
	}
	each(rec, at, damaged)
}

// count is how many lines end behind a place in its file, and when the last of
// them was printed.
func (r *reader) count(from place) (n int, last time.Time, err error) {
	for {
		read, err := r.read(stretch{from: from, until: math.MaxInt64, ended: true}, math.MaxInt, func(rec record, _ place, _ bool) {
			if rec.whole {
				n++
				last = rec.time
			}
		})
		if err != nil || read == 0 {
			return n, last, err
		}
		from.offset += read
	}
}
