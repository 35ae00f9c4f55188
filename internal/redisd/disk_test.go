package redisd

import (
	"log/slog"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// A server that refuses writes says what its disk has against it, and so does a start.
func TestServer_NamesADiskThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	dir := testkit.ShortDir(t)
	c := config(testkit.ShortDir(t), "routes")
	c.DataDir = dir
	broken := testkit.MountExt4(t, dir, 32)
	s, err := New(c, slog.New(slog.DiscardHandler))
	testkit.Must(t, err)
	broken.Break(t)

	started, room := s.prepareDisk(), s.room()

	for _, text := range []string{started.Error(), room} {
		if !strings.Contains(text, "the disk at "+dir+" is read-only: the kernel made it so after an error") {
			t.Errorf("got %q, want the disk", text)
		}
	}
	if cluster.CodeOf(started) != cluster.CodeUnavailable {
		t.Errorf("got %s, want a start that is tried again", cluster.CodeOf(started))
	}
}
