package git

import (
	"os"
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
)

func TestPush_WorksAgainAfterHookAndSocketWereRemoved(t *testing.T) {
	l := newLab(t, 0)
	l.commit(t, "one")
	socket := filepath.Join(filepath.Dir(l.copy), "hook.sock")
	testkit.Must(t, os.RemoveAll(filepath.Join(filepath.Dir(l.copy), "hooks")))
	testkit.Must(t, os.Remove(socket))
	testkit.Eventually(t, "the socket to be back", func() bool {
		_, err := os.Lstat(socket)
		return err == nil
	})

	if out, ok := l.try(t, "push", "aorta", "main"); !ok || len(l.seen()) != 1 {
		t.Errorf("got %d pushes, and:\n%s", len(l.seen()), out)
	}
}
