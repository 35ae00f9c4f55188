package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"aorta/pacemaker/cluster"
)

// logDriver writes containers' output to files, which heart/logs reads.
const logDriver = "json-file"

// Bounds of Tail, in bytes: of all that is read, and of a line.
const (
	maxTail     = 1 << 20
	maxTailLine = 500
)

// Tail returns the last n lines of the container's output, cut to 500 bytes.
func (e *Engine) Tail(ctx context.Context, id cluster.ID, n int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	body, err := e.cli.ContainerLogs(ctx, string(id), client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(n)})
	if err != nil {
		return nil, e.fault("read a container's output", err)
	}
	defer body.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, io.LimitReader(body, maxTail)); err != nil {
		return nil, fmt.Errorf("read the last lines of %s: %w", id, err)
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if text.Len() == 0 {
		return nil, nil
	}
	lines = lines[max(0, len(lines)-n):]
	for i, l := range lines {
		l = strings.TrimSuffix(l, "\r")
		if len(l) > maxTailLine {
			l = l[:maxTailLine] + "…"
		}
		lines[i] = strings.ToValidUTF8(l, "\uFFFD")
	}
	return lines, nil
}
