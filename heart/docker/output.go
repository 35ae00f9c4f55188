package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// maxChunk bounds one chunk of a container's output: engines cut at 16 KiB, a
// larger one is a broken stream.
const maxChunk = 1 << 20

// Chunk is one write of a container as the engine recorded it: a line, or a
// piece of one that was too long for the engine.
type Chunk struct {
	Stream string // stdout or stderr
	Time   time.Time
	Text   []byte // without the line's end; valid until the next call of Next
	Whole  bool   // the line ends here
}

// Output is a container's output, to be read chunk by chunk and closed.
type Output struct {
	body io.ReadCloser
	in   *bufio.Reader
	buf  []byte
}

// Output opens what the container wrote since that time (inclusive; zero is
// everything kept). With follow it goes on until the process ends.
func (e *Engine) Output(ctx context.Context, id cluster.ID, since time.Time, follow bool) (*Output, error) {
	o := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !since.IsZero() {
		o.Since = fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
	}
	return e.openOutput(ctx, id, o)
}

func (e *Engine) openOutput(ctx context.Context, id cluster.ID, o client.ContainerLogsOptions) (*Output, error) {
	body, err := e.cli.ContainerLogs(ctx, string(id), o)
	if err != nil {
		return nil, e.fault("read a container's output", err)
	}
	return NewOutput(body), nil
}

// NewOutput reads the engine's own framing of a container's output.
func NewOutput(body io.ReadCloser) *Output {
	return &Output{body: body, in: bufio.NewReaderSize(body, 32<<10)}
}

// Close ends the stream.
func (o *Output) Close() error { return o.body.Close() }

// Next reads one chunk; io.EOF when the stream has ended.
func (o *Output) Next() (Chunk, error) {
	var head [8]byte
	if _, err := io.ReadFull(o.in, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return Chunk{}, err
	}
	n := binary.BigEndian.Uint32(head[4:])
	if n > maxChunk || head[0] > 3 {
		return Chunk{}, fmt.Errorf("the engine's output stream is broken: a chunk of stream %d with %d bytes", head[0], n)
	}
	if cap(o.buf) < int(n) {
		o.buf = make([]byte, n)
	}
	o.buf = o.buf[:n]
	if _, err := io.ReadFull(o.in, o.buf); err != nil {
		return Chunk{}, fmt.Errorf("read a chunk of %d bytes: %w", n, err)
	}
	if head[0] == 3 {
		return Chunk{}, fmt.Errorf("the engine can't read the output: %s", bytes.TrimSpace(o.buf))
	}
	return parseChunk(head[0], o.buf)
}

// parseChunk takes the engine's time off the front of a chunk.
func parseChunk(stream byte, data []byte) (Chunk, error) {
	c := Chunk{Stream: "stdout"}
	if stream == 2 {
		c.Stream = "stderr"
	}
	stamp, text, ok := bytes.Cut(data, []byte{' '})
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if !ok || err != nil {
		return Chunk{}, fmt.Errorf("the engine's output has no time in front: %.40q", data)
	}
	c.Time = at
	c.Text, c.Whole = bytes.CutSuffix(text, []byte{'\n'})
	c.Text = bytes.TrimSuffix(c.Text, []byte{'\r'})
	return c, nil
}

// Tail gives the last n lines that the container wrote, as text.
func (e *Engine) Tail(ctx context.Context, id cluster.ID, n int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	out, err := e.openOutput(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: strconv.Itoa(n)})
	if err != nil {
		return nil, err
	}
	defer out.Close()
	var lines []string
	for len(lines) < n {
		c, err := out.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("read the last lines of %s: %w", id, err)
		}
		lines = append(lines, strings.ToValidUTF8(string(c.Text[:min(len(c.Text), 500)]), "\uFFFD"))
	}
	return lines, nil
}
