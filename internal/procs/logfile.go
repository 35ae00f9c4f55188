package procs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"aorta/internal/atomicfile"
	"aorta/internal/tick"
)

const (
	logLimit  = 8 << 20 // bytes; a bigger file is moved aside
	trimEvery = time.Second
	tailBytes = 2 << 10
	tailLines = 8
	oldSuffix = ".1"
)

// logFile is a daemon's log from one start on.
type logFile struct {
	path   string
	file   *os.File
	offset int64 // where this start's lines begin
}

func openLog(path string) (*logFile, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+oldSuffix); err != nil {
			return nil, fmt.Errorf("move full log aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &logFile{path: path, file: f, offset: info.Size()}, nil
}

// keepLog keeps the running daemon's log below the limit until ctx ends.
func (d *Daemon) keepLog(ctx context.Context) {
	for tick.Next(ctx, trimEvery) {
		if pid := d.Pid(); pid != 0 {
			if err := trim(procPath(pid, "fd/2"), d.spec.LogPath+oldSuffix); err != nil {
				d.log.Warn("the daemon's log can't be kept small", "path", d.spec.LogPath, "err", err)
			}
		}
	}
}

// trim copies a log that has grown above the limit to the path of the old one, and
// empties it. The daemon holds it open and appends, so it goes on at the beginning;
// what it writes between the two is lost. Found by the daemon's own descriptor, also
// a log that somebody has deleted, which would take room unseen, is trimmed. One
// that finds no room for its copy is emptied all the same.
func trim(log, old string) error {
	info, err := os.Stat(log)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (info.Size() <= logLimit || !info.Mode().IsRegular()) {
		return nil // the daemon has ended, or there is nothing to do
	}
	if err != nil {
		return err
	}
	err = copyEnd(log, old)
	if cut := os.Truncate(log, 0); cut != nil {
		return cut
	}
	return err
}

// copyEnd copies the last bytes of a log, as many as the limit.
func copyEnd(log, to string) error {
	in, err := os.Open(log)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if _, err := in.Seek(-logLimit, io.SeekEnd); err != nil {
		return err
	}
	err = atomicfile.WriteFunc(to, 0o640, func(w io.Writer) error {
		_, err := io.CopyN(w, in, logLimit)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the old lines: %w", err)
	}
	return nil
}

func (l *logFile) close() { _ = l.file.Close() }

// tail returns the last lines written since the start, joined by " | ".
func (l *logFile) tail() string {
	f, err := os.Open(l.path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(l.offset, info.Size()-tailBytes)
	b, err := io.ReadAll(io.NewSectionReader(f, from, tailBytes))
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	lines = lines[max(0, len(lines)-tailLines):]
	return string(bytes.ToValidUTF8(bytes.Join(lines, []byte(" | ")), []byte("?")))
}
