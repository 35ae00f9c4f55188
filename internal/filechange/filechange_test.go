package filechange_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"aorta/internal/filechange"
	"aorta/internal/testkit"
)

func TestOnce_TellsEachKindOfChange(t *testing.T) {
	t.Parallel()
	changes := map[string]func(path string) error{
		"written":   func(path string) error { return write(path, os.O_APPEND) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"rewritten": func(path string) error { return write(path, os.O_TRUNC) },
		"renamed":   func(path string) error { return os.Rename(path, path+".1") },
		"removed":   os.Remove,
		"replaced":  func(path string) error { return replace(path) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, path := watcher(t), file(t)
			told := once(t, w, path)

			if err := change(path); err != nil {
				t.Fatal(err)
			}

			testkit.Eventually(t, "the change to be told", func() bool { return told.Load() > 0 })
		})
	}
}

func TestOnce_TellsOneChangeAlone(t *testing.T) {
	t.Parallel()
	w, path, other := watcher(t), file(t), file(t)
	told := once(t, w, path)
	for range 1000 {
		must(t, write(path, os.O_APPEND))
	}
	last := once(t, w, other)
	must(t, write(other, os.O_APPEND))

	testkit.Eventually(t, "the other file's change", func() bool { return last.Load() == 1 })
	if n := told.Load(); n != 1 {
		t.Errorf("1,000 writes were told %d times, want once", n)
	}
}

func TestOnce_CanBeAskedAgain(t *testing.T) {
	t.Parallel()
	w, path := watcher(t), file(t)
	for range 100 {
		told := once(t, w, path)
		must(t, write(path, os.O_APPEND))
		testkit.Eventually(t, "the change to be told", func() bool { return told.Load() == 1 })
	}
}

func TestOnce_NamesAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := watcher(t)

	missing := w.Once(filepath.Join(t.TempDir(), "none"), func() {})
	must(t, w.Close())
	closed := w.Once(file(t), func() {})

	if missing == nil || closed == nil {
		t.Errorf("Once: got %v and, closed, %v, want an error each", missing, closed)
	}
}

func watcher(t *testing.T) *filechange.Watcher {
	t.Helper()
	w, err := filechange.New()
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func once(t *testing.T, w *filechange.Watcher, path string) *atomic.Int64 {
	t.Helper()
	var told atomic.Int64
	must(t, w.Once(path, func() { told.Add(1) }))
	return &told
}

func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	must(t, write(path, os.O_CREATE))
	return path
}

func write(path string, how int) error {
	f, err := os.OpenFile(path, os.O_WRONLY|how, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString("a line\n"); err != nil {
		return err
	}
	return f.Close()
}

func replace(path string) error {
	if err := os.WriteFile(path+".new", []byte("another\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
