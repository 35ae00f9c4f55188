package dashboard

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"aorta/internal/testkit"
)

// The pages' own tests and types are part of the whole: a full run needs what
// they are made with.
func TestPages_PassTheirOwnTests(t *testing.T) {
	if _, err := os.Stat("ui/node_modules/typescript"); errors.Is(err, fs.ErrNotExist) {
		if testing.Short() {
			t.Skip("ui/node_modules is missing: cd web/dashboard/ui && npm ci --ignore-scripts")
		}
		t.Fatal("ui/node_modules is missing or has no devDependencies: cd web/dashboard/ui && npm ci --ignore-scripts")
	}
	for _, script := range []string{"test", "check"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel() // they are processes of their own
			run := exec.CommandContext(testkit.Bounded(t), "npm", "run", "--silent", script)
			run.Dir, run.WaitDelay = "ui", testkit.Hang
			out, err := run.CombinedOutput()
			if err != nil {
				t.Errorf("npm run %s: got %v, want all well\n%s", script, err, failures(out))
			}
		})
	}
}

// failures is what is worth reading of a run: from the first failure on.
func failures(out []byte) []byte {
	if at := bytes.Index(out, []byte("not ok")); at >= 0 {
		return out[at:min(len(out), at+8000)]
	}
	return out[max(0, len(out)-8000):]
}
