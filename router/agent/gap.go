package agent

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"aorta/internal/disk"
)

// gapRepeats is how often nginx says at the most that it can't write its access log:
// once a minute. What it says is a gap of that length, or of more.
const gapRepeats = time.Minute

// unlogged are nginx's words for lines of the access log that a full disk took.
var unlogged = [][]byte{[]byte(`access.log" failed (28:`), []byte(`access.log" was incomplete`)}

// gap follows nginx's own log for lines that its access log lacks: requests that are
// never counted. One goroutine looks; anybody may ask.
type gap struct {
	log    *slog.Logger
	path   string       // of nginx's own log
	offset int64        // up to which it was read
	last   atomic.Int64 // when nginx said so last, in ns of Unix time; 0 for never
}

// scan reads what is new, and logs when lines went missing.
func (g *gap) scan() error {
	f, err := os.Open(g.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < g.offset {
		g.offset = 0 // it was cut
	}
	if _, err := f.Seek(g.offset, io.SeekStart); err != nil {
		return err
	}
	var first time.Time
	defer func() { g.report(first) }()
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what has no end yet is read again
		}
		if err != nil {
			return err
		}
		g.offset += int64(len(line))
		if at := gapAt(line); !at.IsZero() {
			g.last.Store(max(g.last.Load(), at.UnixNano()))
			if first.IsZero() {
				first = at
			}
		}
	}
}

// gapAt is when a line of nginx's log says that others went missing, zero if it says
// nothing of that.
func gapAt(line []byte) time.Time {
	if !bytes.Contains(line, unlogged[0]) && !bytes.Contains(line, unlogged[1]) {
		return time.Time{}
	}
	const layout = "2006/01/02 15:04:05"
	at, err := time.ParseInLocation(layout, string(line[:min(len(line), len(layout))]), time.Local)
	if err != nil {
		return time.Time{} // the rest of a line that was cut
	}
	return at
}

// report logs what one look found.
func (g *gap) report(first time.Time) {
	if first.IsZero() {
		return
	}
	g.log.Warn("nginx could not write lines of its access log, since the disk was full: the requests of that time, and of up to a minute more, are not all counted",
		"from", first.UTC().Format(time.RFC3339), "to", time.Unix(0, g.last.Load()).UTC().Format(time.RFC3339), "disk", filepath.Dir(g.path))
}

// open says that lines go missing now.
func (g *gap) open(now time.Time) bool {
	last := g.last.Load()
	if last == 0 || now.Sub(time.Unix(0, last)) > gapRepeats+10*time.Second {
		return false
	}
	spare, err := disk.Spare(filepath.Dir(g.path))
	return err == nil && spare == 0
}
