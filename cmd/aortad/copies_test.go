package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// A copied data directory has the cluster's identity, and counts its daemons and
// its instances as its own.
func TestDaemon_ACopyOfItsDataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	app := c.newApp("shop", "hello")
	app.deploy()
	c.stop()
	data, other := filepath.Join(c.dir, "data"), filepath.Join(c.dir, "copy")
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", data, other).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v: %s", err, out)
	}
	if err := os.Remove(filepath.Join(other, "places.json")); err != nil {
		t.Fatal(err)
	}
	wantRefused := func(when string, code int, args ...string) {
		t.Helper()
		r := c.run(c.dir, filepath.Join(bin, "aortad"), args...)
		if r.code != code || !strings.Contains(r.err, other+" is a copy of "+data) {
			t.Errorf("%s: got exit %d, want %d; it said:\n%s", when, r.code, code, r.err)
		}
	}
	wantRefused("the original is stopped", 3, "run", "--data-dir", other, "--run-dir", c.dir+"/run2", "--docker-host", c.docker)
	c.start()

	wantRefused("the original runs", 3, "run", "--data-dir", other, "--run-dir", c.dir+"/run2", "--docker-host", c.docker)
	wantRefused("it is to stop", 1, "stop", "--data-dir", other, "--docker-host", c.docker, "--all")

	wantManaged(t, c.managed(), true)
	testkit.Eventually(t, "the app to answer after it", func() bool {
		status, _ := app.get("/")
		return status == 200
	})
}
