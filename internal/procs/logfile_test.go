package procs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
)

func TestTrim_KeepsTheEndOfALogThatIsHeldOpen(t *testing.T) {
	for name, deleted := range map[string]bool{"there": false, "deleted by somebody": true} {
		dir := t.TempDir()
		path, old := filepath.Join(dir, "log"), filepath.Join(dir, "log"+oldSuffix)
		log, err := openLog(path)
		testkit.Must(t, err)
		write := func(text []byte) {
			t.Helper()
			_, err := log.file.Write(text)
			testkit.Must(t, err)
		}
		holder := exec.Command("sleep", "1000") // its fd 2 is the log
		holder.Stderr = log.file
		testkit.StartChild(t, holder)
		fd := procPath(holder.Process.Pid, "fd/2")
		write([]byte("little\n"))
		if deleted {
			testkit.Must(t, os.Remove(path))
		}

		testkit.Must(t, trim(fd, old))
		_, early := os.Stat(old)
		write(bytes.Repeat([]byte("x"), logLimit))
		write([]byte("\nlast\n"))
		testkit.Must(t, trim(fd, old))
		write([]byte("next\n"))

		kept, err := os.ReadFile(old)
		testkit.Must(t, err)
		now, err := os.ReadFile(fd)
		testkit.Must(t, err)
		if early == nil || len(kept) != logLimit || !bytes.HasSuffix(kept, []byte("x\nlast\n")) || string(now) != "next\n" {
			t.Errorf("%s: got %d bytes kept (at first: %v) and now %q, want the last %d bytes and what came then", name, len(kept), early, now, logLimit)
		}
		log.close()
	}
}
