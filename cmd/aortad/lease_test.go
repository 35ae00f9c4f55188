package main

import (
	"os"
	"path/filepath"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// diskOf is the daemon of a data directory.
func diskOf(t *testing.T, dir string) *daemon {
	t.Helper()
	d := &daemon{}
	d.cfg.DataDir = dir
	testkit.Must(t, os.MkdirAll(d.path("node"), 0o700))
	return d
}

// opened is the lease of a directory as a daemon finds it, and what it says with hello.
func opened(t *testing.T, dir string) (*lease, cluster.Hello) {
	t.Helper()
	l, err := diskOf(t, dir).openLease("n")
	testkit.Must(t, err)
	return l, l.present(cluster.Hello{})
}

// copyOf copies a data directory's lease as cp does.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	testkit.Must(t, os.CopyFS(filepath.Join(to, "node"), os.DirFS(filepath.Join(dir, "node"))))
	return to
}

func TestLease_ACopyOfADirectoryAtWorkIsKnownAsOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if home, err := homeOf(dir); err != nil || home == "" {
		t.Skipf("the file system does not tell when a directory was made: %v", err)
	}
	l, fresh := opened(t, dir)
	testkit.Must(t, l.take("1.a"))
	_, killed := opened(t, dir)
	_, copied := opened(t, copyOf(t, dir))
	_, stillCopied := opened(t, copyOf(t, dir))
	testkit.Must(t, os.Rename(dir, dir+"-moved"))
	_, renamed := opened(t, dir+"-moved")
	last, _ := opened(t, dir+"-moved")
	testkit.Must(t, last.take("2.b"))
	testkit.Must(t, last.end())
	_, moved := opened(t, copyOf(t, dir+"-moved"))

	if fresh.Lease != cluster.NoLease || fresh.Copied {
		t.Errorf("at the first start: got %+v, want no lease yet", fresh)
	}
	for what, h := range map[string]cluster.Hello{"killed": killed, "renamed": renamed} {
		if h.Lease != "1.a" || h.Copied {
			t.Errorf("%s: got %q, %t; want the lease, and no copy", what, h.Lease, h.Copied)
		}
	}
	for _, h := range []cluster.Hello{copied, stillCopied} {
		if h.Lease != "1.a" || !h.Copied {
			t.Errorf("copied: got %q, %t; want the lease, and that it is a copy", h.Lease, h.Copied)
		}
	}
	if moved.Lease != "2.b" || moved.Copied {
		t.Errorf("copied after an end in order: got %q, %t; want the lease, and no copy", moved.Lease, moved.Copied)
	}
}

// A directory whose node was removed, and that has joined again, has no lease of the new one.
func TestLease_IsOfOneNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := opened(t, dir)
	testkit.Must(t, l.take("7.a"))

	other, err := diskOf(t, dir).openLease("m")
	testkit.Must(t, err)

	if h := other.present(cluster.Hello{}); h.Lease != cluster.NoLease || h.Copied {
		t.Errorf("got %+v, want no lease", h)
	}
}

// Who was refused has nothing to hand on.
func TestLease_EndsWithWhoHeldIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := opened(t, dir)
	testkit.Must(t, l.take("1.a"))
	refused, _ := opened(t, dir)

	testkit.Must(t, refused.end())

	again, _ := opened(t, dir)
	if again.kept.Ended {
		t.Error("got an end in order of a process that held no lease")
	}
}
