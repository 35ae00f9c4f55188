package logstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// maxStored is the longest stored line that is read, in bytes: a text of
// maxText with every byte escaped, and the other fields.
const maxStored = 256 << 10

// place is a spot in a segment: the number of a line and where it begins, in
// bytes of the plain form, which a closed segment still has inside.
type place struct {
	seq    uint64
	offset int64
}

// start is the place of the segment's first line.
func (s segment) start() place { return place{seq: s.first} }

// scan reads the segment's whole lines from a place on and gives the place
// behind the last one it read. visit gets each intact line; false ends the
// scan after that line. Broken lines keep their numbers and are passed over.
func scan(dir string, s segment, from place, visit func(record) bool) (place, error) {
	f, err := os.Open(filepath.Join(dir, s.name()))
	if err != nil {
		return from, fmt.Errorf("open log segment: %w", err)
	}
	defer func() { _ = f.Close() }()
	in, done, err := plainText(f, s, from.offset)
	if err != nil {
		return from, fmt.Errorf("read log segment %s: %w", f.Name(), err)
	}
	defer done()
	end, err := scanLines(in, from, s.next(), visit)
	if err != nil {
		return end, fmt.Errorf("read log segment %s: %w", f.Name(), err)
	}
	return end, nil
}

// plainText reads the lines of a file from an offset on, whatever its form.
func plainText(f *os.File, s segment, offset int64) (io.Reader, func(), error) {
	if !s.closed {
		return io.NewSectionReader(f, offset, s.size-offset), func() {}, nil
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.CopyN(io.Discard, z, offset); err != nil {
		z.Close()
		return nil, nil, err
	}
	return z, z.Close, nil
}

func scanLines(r io.Reader, at place, end uint64, visit func(record) bool) (place, error) {
	in := bufio.NewReaderSize(r, maxStored)
	for at.seq < end {
		b, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			at.offset += int64(len(b))
			n, err := skipLine(in)
			at = place{seq: at.seq + 1, offset: at.offset + n}
			if err != nil {
				return at, err
			}
			continue
		}
		if err != nil {
			return at, err
		}
		rec, ok := parseLine(bytes.TrimSuffix(b, []byte("\n")))
		rec.seq = at.seq
		at = place{seq: at.seq + 1, offset: at.offset + int64(len(b))}
		if ok && !visit(rec) {
			return at, nil
		}
	}
	return at, nil
}

// skipLine reads over the rest of a line that nobody wrote like this.
func skipLine(in *bufio.Reader) (int64, error) {
	var n int64
	for {
		b, err := in.ReadSlice('\n')
		n += int64(len(b))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// measure fills in what only the content of a plain segment tells. Its torn
// end, the last lines that are not whole, does not count.
func measure(dir string, s segment, visit func(stored []byte, r record)) (segment, error) {
	f, err := os.Open(filepath.Join(dir, s.name()))
	if err != nil {
		return s, fmt.Errorf("open log segment: %w", err)
	}
	defer func() { _ = f.Close() }()
	whole := newSegmentLike(s)
	var count uint64
	var size int64
	in := bufio.NewReaderSize(f, maxStored)
	for {
		b, err := in.ReadSlice('\n')
		size += int64(len(b))
		switch {
		case errors.Is(err, io.EOF):
			return whole, nil
		case errors.Is(err, bufio.ErrBufferFull):
			n, _ := skipLine(in)
			size, b = size+n, nil
		case err != nil:
			return s, fmt.Errorf("read log segment %s: %w", f.Name(), err)
		}
		count++
		if r, ok := parseLine(bytes.TrimSuffix(b, []byte("\n"))); ok {
			visit(b, r)
			whole.note(r.nano, 0)
			whole.count, whole.size = count, size
		}
	}
}

func newSegmentLike(s segment) segment {
	fresh, _ := parseSegment(s.name())
	return fresh
}
