package accesslog

import (
	"bytes"
	"errors"
	"io"
	"os"
)

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
