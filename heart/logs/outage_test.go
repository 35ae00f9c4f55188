package logs

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/disk"
	"aorta/internal/testkit"
)

// What an instance prints while the engine's disk is full is in no file: its log says
// from when to when.
func TestShipper_SaysWhenTheEnginesDiskTookNoWrites(t *testing.T) {
	t.Parallel()
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	e, s, w := newEngine(t, 1_000_000, 3), newStore(), target()
	testkit.Must(t, os.Mkdir(filepath.Join(dir, "c"), 0o700))
	e.path = filepath.Join(dir, "c", "c-json.log")
	e.open()
	h := New(s, Options{Log: slog.New(slog.DiscardHandler), Files: 3, Held: 1 << 20})
	h.rest = time.Hour
	h.Follow(w, e.path)
	begin := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	fill := filepath.Join(dir, "fill")

	h.checkDisk(begin)
	if err := os.WriteFile(fill, bytes.Repeat([]byte("x"), 2<<20), 0o600); !disk.Full(err) {
		t.Fatalf("got %v, want a full disk", err)
	}
	h.checkDisk(begin.Add(5 * time.Second))
	h.checkDisk(begin.Add(10 * time.Second))
	testkit.Must(t, os.Remove(fill))
	h.checkDisk(begin.Add(15 * time.Second))
	h.checkDisk(begin.Add(20 * time.Second))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }() // ends with cancel
	t.Cleanup(func() { cancel(); <-ended })
	e.print(3)

	wantShipped(t, s, w.ID, allNumbered(0, 3))
	said := s.system(w.ID)
	if len(said) != 2 || !strings.Contains(said[0], "is full (df -h "+dir) || !strings.Contains(said[0], "after 2026-01-02T03:04:00Z") ||
		!strings.Contains(said[1], "lines may be missing from 2026-01-02T03:04:00Z to 2026-01-02T03:04:15Z") {
		t.Errorf("the platform said %q, want when the disk was full and where", said)
	}
}
