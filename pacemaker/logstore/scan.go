package logstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
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
		if isCommit(b) {
			at.offset += int64(len(b))
			continue
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

// skipLine skips the rest of a broken line.
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

// measured is what only the content of a plain segment shows.
type measured struct {
	segment
	committed bool // it has commits; one of before there were any has none
	positions positions
}

// measure reads a plain segment. What stands behind its last commit does not
// count, or, where there is none, what stands behind its last whole line.
func measure(dir string, s segment) (measured, error) {
	f, err := os.Open(filepath.Join(dir, s.name()))
	if err != nil {
		return measured{segment: s}, fmt.Errorf("open log segment: %w", err)
	}
	defer func() { _ = f.Close() }()
	fresh, _ := parseSegment(s.name())
	whole, read := measured{segment: fresh, positions: positions{}}, fresh
	in := bufio.NewReaderSize(f, maxStored)
	for {
		b, err := in.ReadSlice('\n')
		read.size += int64(len(b))
		switch {
		case errors.Is(err, io.EOF):
			return whole, nil
		case errors.Is(err, bufio.ErrBufferFull):
			n, _ := skipLine(in)
			read.size, b = read.size+n, nil
		case err != nil:
			return whole, fmt.Errorf("read log segment %s: %w", f.Name(), err)
		}
		whole.take(&read, bytes.TrimSuffix(b, []byte("\n")))
	}
}

// take counts in one more line; read is all that was read so far.
func (m *measured) take(read *segment, b []byte) {
	if isCommit(b) {
		if moved, ok := parseCommit(b); ok {
			m.segment, m.committed = *read, true
			maps.Copy(m.positions, moved)
		}
		return
	}
	read.count++
	if r, ok := parseLine(b); ok {
		read.minT, read.maxT = min(read.minT, r.nano), max(read.maxT, r.nano)
		if !m.committed {
			m.segment = *read
		}
	}
}
