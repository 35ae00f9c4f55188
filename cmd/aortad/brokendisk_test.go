package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// A data disk that its kernel makes read-only after an error is named by status, by
// readiness and at every door; apps go on; a start says the cause, and all that runs
// can be stopped.
func TestBrokenDisk_IsSaidAtEveryDoorAndKeepsNothingFromBeingStopped(t *testing.T) {
	t.Parallel()
	c := unstarted(t)
	data := c.dir + "/data"
	testkit.Must(t, os.Mkdir(data, 0o755))
	broken := testkit.MountExt4(t, data, 300)
	t.Cleanup(c.end) // before it is unmounted
	c.start()
	shop := c.newApp("shop", "hello")
	shop.deploy()
	shop.write("note.txt", "second")
	shop.commit("second")
	testkit.Eventually(t, "a cluster in order", c.healthy)

	broken.Break(t)
	testkit.Eventually(t, "the disk to be named", func() bool {
		return strings.Contains(c.aorta("status", "--wide"), "The disk of the data directory "+data+" is read-only: the kernel made it so after an error: look at dmesg, then fsck.")
	})
	if code, body := c.readyz(); code != 503 || !strings.Contains(body, data+" is read-only") {
		t.Errorf("readyz: got %d %s, want the disk", code, body)
	}
	for door, r := range map[string]result{
		"git push":       shop.push(),
		"archive upload": c.run(shop.dir, "aorta", "deploy", "-a", "shop"),
		"config set":     c.run(c.dir, "aorta", "config", "set", "A=1", "-a", "shop"),
		"ps scale":       c.run(c.dir, "aorta", "ps", "scale", "web=2", "-a", "shop"),
		"ps restart":     c.run(c.dir, "aorta", "ps", "restart", "-a", "shop"),
		"apps create":    c.run(c.dir, "aorta", "apps", "create", "other"),
		"apps destroy":   c.run(c.dir, "aorta", "apps", "destroy", "shop", "--confirm", "shop"),
	} {
		said := r.out + r.err
		if r.code == 0 || !strings.Contains(said, "the disk at "+data) || !strings.Contains(said, "is read-only: the kernel made it so after an error: look at dmesg, then fsck") {
			t.Errorf("%s: got exit %d and\n%s\nwant the disk, the cause and the next step", door, r.code, said)
		}
	}
	if code, _ := shop.get("/"); code != 200 {
		t.Errorf("the app answers %d meanwhile", code)
	}

	c.term()
	if again := c.run(c.dir, c.daemon, c.flags...); again.code != 1 || !strings.Contains(again.err, "is read-only") || strings.Contains(again.err, "another aortad") {
		t.Errorf("a start: got exit %d and\n%s\nwant the cause, and to be tried again", again.code, again.err)
	}
	stop := exec.Command(filepath.Join(bin, "aortad"), "stop", "--data-dir", data, "--docker-host", c.docker, "--all")
	out, err := stop.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "managed Redis and nginx are stopped") || !strings.Contains(string(out), "1 instances are stopped and removed") {
		t.Errorf("stop: got %v and\n%s\nwant all stopped", err, out)
	}
}
