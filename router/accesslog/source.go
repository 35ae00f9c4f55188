package accesslog

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/hpcloud/tail"
)

// errTruncated marks, among the lines of a tail, where its file was emptied.
var errTruncated = errors.New("the file was truncated")

// source is one tail on one open file. The library reopens by name and ends the
// process when a name can't be looked up, so it is given the descriptor's name:
// that one stays whatever is renamed, and never fails while we hold it open.
// It polls, because its inotify watcher ends the process too (when the user has
// no watches left) and stops at a rename with lines unread.
type source struct {
	tail *tail.Tail
	done chan struct{} // closed when no more lines are delivered
}

// deliver takes a line; false ends the source. A truncated source ends after it.
type deliver func(src *source, text string, truncated bool) bool

// startSource follows f from an offset until kill or the first truncation. The
// descriptor must stay open until done is closed.
func startSource(f *os.File, offset int64, to deliver) (*source, error) {
	marks := &marker{ready: make(chan struct{})}
	marks.Logger = log.New(discard{}, "", 0)
	name := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	t, err := tail.TailFile(name, tail.Config{
		Location: &tail.SeekInfo{Offset: offset},
		Follow:   true, MustExist: true, Poll: true, Logger: marks,
	})
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", f.Name(), err)
	}
	marks.lines = t.Lines
	close(marks.ready)
	s := &source{tail: t, done: make(chan struct{})}
	go s.run(to) // ends when the tail does, by kill
	return s, nil
}

func (s *source) run(to deliver) {
	defer close(s.done)
	going := true
	for line := range s.tail.Lines {
		// The library sends without checking whether it was stopped, so
		// what it still has must be taken from it.
		if !going {
			continue
		}
		truncated := line.Err != nil
		going = to(s, line.Text, truncated) && !truncated
		if !going {
			s.kill()
		}
	}
}

// kill makes the source end; done is closed when it has.
func (s *source) kill() { s.tail.Kill(nil) }

// err is what the tail died of, nil after a kill. It waits for its end.
func (s *source) err() error { return s.tail.Wait() }

// marker is the tail's logger. The library says only there that it starts a
// truncated file again, and says it between the lines before and after: so the
// mark is sent through the channel of the lines.
type marker struct {
	*log.Logger
	ready chan struct{} // closed when lines is set
	lines chan *tail.Line
}

// Printf implements the library's logger.
func (m *marker) Printf(format string, _ ...any) {
	if format != "Re-opening truncated file %s ..." {
		return
	}
	<-m.ready
	m.lines <- &tail.Line{Err: errTruncated}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
