package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// headBytes bounds how much of a file's first line is looked at.
const headBytes = 4096

// identity tells one log from every other.
//
// Inode and birth time name the file; the head is a hash of its first line and
// names what is in it, so a file that was truncated and filled again, by
// however much, is another log, and a copy of a log is known as one. The device
// is left out: all files of a log lie in one directory, and device numbers may
// change when the machine restarts.
type identity struct {
	file string // inode and birth time in ns, "123:1763688000123456789"
	head string // 16 hex digits; "" while there is no whole first line
}

// key is the identity's name in a position.
func (id identity) key() string { return id.file + ":" + id.head }

// identify reads a file's identity and size.
func identify(f *os.File) (id identity, size int64, err error) {
	var st unix.Statx_t
	err = unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st)
	if err != nil {
		return identity{}, 0, fmt.Errorf("stat %s: %w", f.Name(), err)
	}
	birth := int64(0)
	if st.Mask&unix.STATX_BTIME != 0 {
		birth = st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
	}
	head, err := headOf(f)
	if err != nil {
		return identity{}, 0, err
	}
	return identity{file: fmt.Sprintf("%d:%019d", st.Ino, birth), head: head}, int64(st.Size), nil
}

// headOf hashes the first line, or its beginning if it is a very long one.
func headOf(f *os.File) (string, error) {
	buf := make([]byte, headBytes)
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the first line of %s: %w", f.Name(), err)
	}
	end := bytes.IndexByte(buf[:n], '\n')
	if end < 0 && n < headBytes {
		return "", nil
	}
	if end < 0 {
		end = n
	}
	h := fnv.New64a()
	_, _ = h.Write(buf[:end])
	return fmt.Sprintf("%016x", h.Sum64()), nil
}

// lineless says that there is no whole line from offset on: whatever stands
// there is the beginning of one.
func lineless(f *os.File, offset, size int64) bool {
	buf := make([]byte, 64<<10)
	for at := offset; at < size; {
		n, err := f.ReadAt(buf, at)
		if bytes.IndexByte(buf[:n], '\n') >= 0 {
			return false
		}
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		at += int64(n)
	}
	return true
}
