package openresty

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
)

// How an end of a connection sees a message end.
const (
	endComplete = "complete"
	endCut      = "cut"   // the connection closed in the middle
	endReset    = "reset" // likewise, by a reset
	endOpen     = "open"  // nothing more comes
	endWrong    = "wrong" // what comes is no chunk
)

// message is an HTTP message as one side of an exchange reads it.
type message struct {
	first   string
	headers []string // as they came
	body    io.Reader
	framing string // none, length, chunked, close
}

func endOf(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return endComplete
	case errors.Is(err, os.ErrDeadlineExceeded):
		return endOpen
	case errors.Is(err, errChunk):
		return endWrong
	case errors.Is(err, io.ErrUnexpectedEOF):
		return endCut
	}
	return endReset
}

// readHead reads a message up to its body. A request without length has none, an
// answer without one goes on to the end; none says that this answer has none.
func readHead(in *bufio.Reader, isRequest, none bool) (*message, error) {
	m := &message{framing: "none", body: strings.NewReader("")}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case m.first == "":
			m.first = line
		case line == "":
			m.frame(in, isRequest, none)
			return m, nil
		default:
			m.headers = append(m.headers, line)
		}
	}
}

func (m *message) frame(in *bufio.Reader, isRequest, none bool) {
	length := m.value("content-length")
	n, err := strconv.ParseUint(length, 10, 63)
	switch {
	case none, !isRequest && bodiless(m.first):
	case strings.EqualFold(m.value("transfer-encoding"), "chunked"):
		m.framing, m.body = "chunked", &chunkReader{in: in}
	case length != "" && err == nil:
		m.framing, m.body = "length", &exactly{in, int64(n)}
	case !isRequest:
		m.framing, m.body = "close", in
	}
}

// bodiless says that an answer has no body, whatever its headers say.
func bodiless(first string) bool {
	_, status, _ := strings.Cut(first, " ")
	return strings.HasPrefix(status, "1") || strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304")
}

// exactly reads n bytes and calls fewer an unexpected end.
type exactly struct {
	in   io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.in.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// value is the last header's of that name, "" for none.
func (m *message) value(name string) string {
	last := ""
	for _, line := range m.headers {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			last = strings.TrimSpace(value)
		}
	}
	return last
}

// brief shortens what is only compared.
func brief(s string) string {
	if len(s) <= 60 {
		return s
	}
	return fmt.Sprintf("%.20s… %d:%08x", s, len(s), crc32.ChecksumIEEE([]byte(s)))
}
