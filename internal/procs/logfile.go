package procs

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

const (
	logLimit  = 8 << 20 // bytes; a bigger file is moved aside at a start
	tailBytes = 2 << 10
	tailLines = 8
)

// logFile is a daemon's log from one start on.
type logFile struct {
	path   string
	file   *os.File
	offset int64 // where this start's lines begin
}

func openLog(path string) (*logFile, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".1"); err != nil {
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
