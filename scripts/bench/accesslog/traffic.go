package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	apps      = 100 // with one release each
	instances = 3   // of a release
	perSecond = 10_000
)

// traffic is a log like that of a router with 10,000 requests per second.
type traffic struct {
	path  string
	file  *os.File
	lines int
	tails [apps * instances]string // what is the same in all lines of an instance
}

func newTraffic(dir string) (*traffic, error) {
	t := &traffic{path: filepath.Join(dir, "access.log")}
	var err error
	if t.file, err = os.OpenFile(t.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	for i := range t.tails {
		app := i / instances
		t.tails[i] = fmt.Sprintf(`,"host":"shop-%d.example.com","app":%q,"release":%q,"type":"web","instance":%q,"node":%q,"router":%q}`+"\n",
			app, uuid(1, app), uuid(2, app), uuid(3, i), uuid(4, i%20), uuid(5, 0))
	}
	return t, nil
}

func uuid(kind, n int) string { return fmt.Sprintf("0190b3c4-%04x-7000-8000-%012x", kind, n) }

// write appends n lines, whose times go on from half a minute ago.
func (t *traffic) write(n int) error {
	w := bufio.NewWriterSize(t.file, 1<<20)
	start := time.Now().Add(-time.Duration(n) * time.Second / perSecond)
	for i := range n {
		t.lines++
		at := start.Add(time.Duration(i) * time.Second / perSecond).UnixMilli()
		ms := i * 7919 % 200
		_, err := fmt.Fprintf(w, `{"time":%d.%03d,"status":"%d","bytes":%d,"seconds":0.%03d,"upstream_seconds":"0.%03d","upstream_status":"200"%s`,
			at/1000, at%1000, 200+i%50/49*300, 200+i%5000, ms, ms, t.tails[i*31%len(t.tails)])
		if err != nil {
			return fmt.Errorf("write the log: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

func (t *traffic) close() { _ = t.file.Close() }
