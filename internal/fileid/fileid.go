// Package fileid tells one log file from every other, whatever it is called now,
// so that a position in it holds across renames and restarts. It reads no more
// of a file than its first line.
package fileid

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// headBytes bounds how much of a file's first line is read.
const headBytes = 4096

// ID is a log file's identity.
//
// Inode and birth time name the file; the head is a hash of its first line and
// names what is in it, so a file that was truncated and filled again, by
// however much, is another log, and a copy of a log is known as one. The device
// is left out: all files of a log lie in one directory, and device numbers may
// change when the machine restarts.
type ID struct {
	File string // inode and birth time in ns, "123:1763688000123456789"
	Head string // 16 hex digits; "" while there is no whole first line
}

// Key is the identity's name in a position.
func (id ID) Key() string { return id.File + ":" + id.Head }

// Born orders identities of one directory by birth time.
func (id ID) Born() string { return id.File[strings.IndexByte(id.File, ':')+1:] }

// Parse reads a Key; false means that it is none.
func Parse(key string) (ID, bool) {
	at := strings.LastIndexByte(key, ':')
	if at < 0 {
		return ID{}, false
	}
	return ID{File: key[:at], Head: key[at+1:]}, true
}

// Open opens a log, and reads its identity and its size in bytes.
func Open(name string) (f *os.File, id ID, size int64, err error) {
	if f, err = os.Open(name); err != nil {
		return nil, id, 0, fmt.Errorf("open a log: %w", err)
	}
	if id, size, err = Of(f); err != nil {
		_ = f.Close()
		return nil, id, 0, err
	}
	return f, id, size, nil
}

// Of reads a file's identity and size.
func Of(f *os.File) (id ID, size int64, err error) {
	var st unix.Statx_t
	err = unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st)
	if err != nil {
		return ID{}, 0, fmt.Errorf("stat %s: %w", f.Name(), err)
	}
	birth := int64(0)
	if st.Mask&unix.STATX_BTIME != 0 {
		birth = st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
	}
	head, err := Head(f)
	if err != nil {
		return ID{}, 0, err
	}
	return ID{File: fmt.Sprintf("%d:%019d", st.Ino, birth), Head: head}, int64(st.Size), nil
}

// Head hashes the first line, or its beginning if it is a very long one.
func Head(f *os.File) (string, error) {
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
