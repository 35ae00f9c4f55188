package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/heart/internal/rig"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// The engine of a test leaves nothing that runs, also where it has forgotten its
// containers.
func TestOwnEngine_LeavesNoProcess(t *testing.T) {
	t.Parallel()
	if !testkit.InOwnNetwork(t) {
		return
	}
	id, dir := cluster.NewID(), ""
	t.Run("engine", func(t *testing.T) {
		own := rig.OwnEngine(t, id)
		dir = filepath.Dir(strings.TrimPrefix(own.Host, "unix://"))
		e := rig.EngineAt(t, own.Host, id)
		run(t, e, launch(t, e, rig.Image(t, e, id), nil))
		own.Empty()
		run(t, e, launch(t, e, rig.Image(t, e, id), nil))
	})

	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	testkit.Must(t, err)
	for _, file := range lines {
		line, err := os.ReadFile(file) // a process may have ended meanwhile
		if err == nil && strings.Contains(string(line), dir) {
			t.Errorf("left is %s: %q", file, line)
		}
	}
}
