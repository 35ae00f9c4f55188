package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Ext4 is a file system of its own, on a loop device, that its kernel makes read-only
// after an error.
type Ext4 struct {
	Dir  string // where it is mounted
	loop string // loop0
}

// MountExt4 mounts a new one of so many megabytes on a directory, for one test. make is
// said to mkfs.ext4 besides.
func MountExt4(tb testing.TB, dir string, megabytes int64, make ...string) Ext4 {
	tb.Helper()
	if os.Getuid() != 0 {
		tb.Fatal("this test mounts a file system: run it as root")
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		tb.Skipf("needs loop devices: %v", err)
	}
	image := filepath.Join(ShortDir(tb), "ext4")
	Must(tb, os.WriteFile(image, nil, 0o600))
	Must(tb, os.Truncate(image, megabytes<<20))
	succeed(tb, "mkfs.ext4", append(make, "-q", image)...)
	succeed(tb, "mount", "-o", "loop,errors=remount-ro", image, dir)
	tb.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return Ext4{dir, filepath.Base(succeed(tb, "findmnt", "-no", "SOURCE", "--mountpoint", dir))}
}

// Break has its kernel find an error in it, and stop writing to it.
func (e Ext4) Break(tb testing.TB) {
	tb.Helper()
	Must(tb, os.WriteFile(fmt.Sprintf("/sys/fs/ext4/%s/trigger_fs_error", e.loop), []byte("1"), 0))
}

// succeed gives what a command prints.
func succeed(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
