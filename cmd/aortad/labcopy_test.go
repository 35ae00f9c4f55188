package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/internal/testkit/lab"
)

// copyDisk puts a copy of a host's data directory on another one, as if they could not
// see each other's disks.
func copyDisk(tb testing.TB, from, to *lab.Host) {
	tb.Helper()
	dir := filepath.Join(to.Disk(), "data")
	testkit.Must(tb, os.RemoveAll(dir))
	for _, name := range []string{"node", "heart", "welcome.json", "aortad.yml"} {
		testkit.Must(tb, os.MkdirAll(dir, 0o700))
		source := filepath.Join(from.Disk(), "data", name)
		info, err := os.Stat(source)
		testkit.Must(tb, err)
		if info.IsDir() {
			testkit.Must(tb, os.CopyFS(filepath.Join(dir, name), os.DirFS(source)))
			continue
		}
		raw, err := os.ReadFile(source)
		testkit.Must(tb, err)
		testkit.Must(tb, os.WriteFile(filepath.Join(dir, name), raw, 0o600))
	}
}

// wantCopyRefused starts the copy, and wants it to end with why.
func wantCopyRefused(tb testing.TB, host *lab.Host, why string) {
	tb.Helper()
	host.Roles = []string{"heart", "router"}
	before := len(host.Log())
	err := host.StartDaemon(testkit.Bounded(tb))
	if log := host.Log()[before:]; err == nil || !strings.Contains(log, why) || strings.Contains(log, "waiting for the pacemaker") {
		tb.Errorf("got %v\n%s\nwant the copy refused at once: %q", err, tail(log, 2000), why)
	}
}

// inUseFor is for how many seconds after its last word a node's process counts as there.
const inUseFor = 10

// The disk of n3 is copied to n4 while n3 is cut off: n3 stays the node.
func TestLab_ACopyOfADiskIsRefusedWhileTheOriginalIsCutOff(t *testing.T) {
	t.Parallel()
	specs := lab.Specs(3)
	specs[2].Roles = nil
	specs[0].Flags = []string{"--dead-after=1h"} // what is cut off is not to be replaced
	l := ownLab(t, nil, specs...)
	n1, n2, n3 := l.Hosts[0], l.Hosts[1], l.Hosts[2]
	c := on(t, n1)
	app := c.newApp("shop", "hello")
	app.deploy()
	c.aorta("ps", "scale", "-a", "shop", "web=2")
	before := app.spread(2)
	cost := &lab.Cost{Fault: "F22: a copy of a heart's disk starts elsewhere"}
	get := loading(t, l, lab.Load{App: "shop", Rate: 50, Via: []*lab.Host{n1, n2}})

	cost.Strikes()
	for _, loud := range []bool{true, false} {
		testkit.Must(t, l.Cut(testkit.Bounded(t), lab.Cut{A: n1.Name, B: n2.Name, Loud: loud}))
		testkit.Eventually(t, "n2 to be silent", func() bool { return c.heardAgo("n2") > inUseFor })
		copyDisk(t, n2, n3)
		wantCopyRefused(t, n3, `is a copy of node "n2"'s, which host n2 (`+n2.Address()+") has used since")
		cost.Known()
		testkit.Must(t, l.Heal(testkit.Bounded(t)))
		testkit.Eventually(t, "n2 to be there again", func() bool { return c.heardAgo("n2") < inUseFor })
	}
	// A disk that was cloned with its file system does not know that it is a copy.
	lease := filepath.Join(n3.Disk(), "data", "node", "lease.json")
	raw, err := os.ReadFile(lease)
	testkit.Must(t, err)
	testkit.Must(t, n2.KillDaemon(testkit.Bounded(t)))
	testkit.Must(t, n2.StartDaemon(testkit.Bounded(t)))
	testkit.Must(t, os.WriteFile(lease, []byte(strings.Replace(string(raw), `"home"`, `"was"`, 1)), 0o600))
	// Its hello alone does not make the new lease the only one: that may not have come.
	testkit.Eventually(t, "n2 to report after its restart", func() bool { return c.nodeNamed("n2").TagSources["os"] != "" })
	testkit.Must(t, l.Cut(testkit.Bounded(t), lab.Cut{A: n1.Name, B: n2.Name}))
	testkit.Eventually(t, "n2 to be silent again", func() bool { return c.heardAgo("n2") > inUseFor })
	wantCopyRefused(t, n3, `is an older copy of node "n2"'s`)
	testkit.Must(t, l.Heal(testkit.Bounded(t)))

	testkit.Eventually(t, "n2 to be the node", func() bool { return c.heardAgo("n2") < inUseFor })
	if after := app.spread(2); after["n2"] != before["n2"] || strings.Contains(n2.Log(), "refuses node") {
		t.Errorf("got instances at %v, want them where they were: %v", after, before)
	}
	cost.Gets = get()
	wantAnswered(t, cost.Fault, cost.Gets)
	t.Log(cost)
	costs.Add(cost)
}
