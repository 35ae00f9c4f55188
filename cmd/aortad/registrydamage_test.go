package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// layersOf are the files of the app's layers in the registry of a host, by what their
// digests should be.
func (p *project) layersOf(host *lab.Host) map[string]string {
	p.c.tb.Helper()
	links, err := filepath.Glob(registryOf(host) + "repositories/" + p.id() + "/_layers/sha256/*")
	testkit.Must(p.c.tb, err)
	files := map[string]string{}
	for _, link := range links {
		hex := filepath.Base(link)
		files[hex] = registryOf(host) + "blobs/sha256/" + hex[:2] + "/" + hex + "/data"
	}
	return files
}

// Layers that the registry's disk has damaged are noticed by who takes them, and sent
// again by the builder that has them.
func TestRegistry_DamagedLayersAreSentAgain(t *testing.T) {
	t.Parallel()
	l := four.use(t)
	n1 := l.Hosts[0]
	c := on(t, n1)
	rotten := c.newApp("rotten", "hello")
	rotten.burden(4)
	rotten.commit("with a burden")
	rotten.deploy()
	for _, file := range rotten.layersOf(n1) {
		testkit.Must(t, os.WriteFile(file, []byte("rot"), 0o600))
	}

	said := c.aorta("ps", "scale", "web=4", "-a", "rotten")

	rotten.everywhere(l, "v1")
	for want, file := range rotten.layersOf(n1) {
		raw, err := os.ReadFile(file)
		testkit.Must(t, err)
		if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s is damaged still", file)
		}
	}
	if logs := c.aorta("logs", "-a", "rotten", "-n", "1000"); !strings.Contains(logs, "is lost from the registry: it was damaged on the disk, or is gone from "+n1.Disk()) {
		t.Errorf("got the log\n%s\nand\n%s\nwant the damage named", logs, said)
	}
	if metrics := c.metrics(); !strings.Contains(metrics, "\naorta_registry_damaged_total ") || strings.Contains(metrics, "\naorta_registry_damaged_total 0") {
		t.Errorf("got the metrics %s, want the damage counted", grep(metrics, "aorta_registry"))
	}
	rotten.destroy()
}
