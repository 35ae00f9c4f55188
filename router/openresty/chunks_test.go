package openresty

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// errChunk is a body in chunks that are wrong.
var errChunk = errors.New("not a chunk")

// chunkReader reads a body in chunks up to its trailers. It takes lines of any
// length, which net/http/httputil's does not.
type chunkReader struct {
	in   *bufio.Reader
	left int64 // of the chunk
	open bool  // the line end behind the chunk is still to come
	err  error
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	if c.left -= int64(n); c.left == 0 {
		c.open = true
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads up to the data of the next chunk.
func (c *chunkReader) next() error {
	if c.open {
		if rest, err := c.line(); err != nil || rest != "" {
			return errors.Join(errChunk, err)
		}
		c.open = false
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 63)
	switch {
	case err != nil:
		return errChunk
	case n == 0:
		return io.EOF
	}
	c.left = int64(n)
	return nil
}

func (c *chunkReader) line() (string, error) {
	line, err := c.in.ReadString('\n')
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(line, "\r\n"), err
}
