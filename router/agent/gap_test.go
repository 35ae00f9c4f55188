package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit"
)

func TestGap_IsReadFromNginxLog(t *testing.T) {
	dir := testkit.ShortDir(t)
	testkit.Must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	var said bytes.Buffer
	g := &gap{path: filepath.Join(dir, "nginx.log"), log: slog.New(slog.NewTextHandler(&said, nil))}
	now := time.Now().Truncate(time.Second)
	write := func(flags int, text string) {
		t.Helper()
		f, err := os.OpenFile(g.path, os.O_WRONLY|os.O_CREATE|flags, 0o600)
		testkit.Must(t, err)
		_, err = f.WriteString(text)
		testkit.Must(t, err)
		testkit.Must(t, f.Close())
		testkit.Must(t, g.scan())
	}
	failed := func(ago time.Duration) string {
		return fmt.Sprintf("%s [alert] 7#7: *1 write() to \"%s/access.log\" failed (28: No space left on device) while logging request, client: 127.0.0.1\n",
			now.Add(-ago).Format("2006/01/02 15:04:05"), dir)
	}

	testkit.Must(t, g.scan())
	write(os.O_APPEND, strings.Repeat("2026/11/30 12:00:00 [notice] 7#7: open() \"access.log\" in peace\n", 30))
	before := g.last.Load()
	write(os.O_APPEND, failed(5*time.Second)+failed(0)[:40])
	first := time.Unix(0, g.last.Load())
	roomy := g.open(now)
	write(os.O_TRUNC, failed(0)) // cut by who keeps it small
	second := time.Unix(0, g.last.Load())
	testkit.Must(t, g.scan())
	filler := bytes.Repeat([]byte("x"), 1<<20)
	_ = os.WriteFile(filepath.Join(dir, "fill"), filler, 0o600) // as much as fits
	full, later := g.open(now), g.open(now.Add(2*time.Minute))

	if before != 0 || !first.Equal(now.Add(-5*time.Second)) || !second.Equal(now) {
		t.Errorf("got %d, %v, %v; want the times of nginx's lines, none of others", before, first, second)
	}
	if roomy || !full || later {
		t.Errorf("got it open %t with room, %t without and %t long after; want it while the disk is full", roomy, full, later)
	}
	if n := strings.Count(said.String(), "are not all counted"); n != 2 || !strings.Contains(said.String(), now.UTC().Format(time.RFC3339)) {
		t.Errorf("got\n%s\nwant two gaps with their times", said.String())
	}
}
