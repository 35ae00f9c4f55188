package scripts_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// Who has a port that make up needs is said at once, and not after a build.
func TestUp_ChecksThePortsFirst(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("make up wants root: run this test as root")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	defer func() { _ = l.Close() }()
	taken := l.Addr().String()
	for _, name := range []string{"LISTEN", "ROUTER"} {
		cmd := exec.Command("./up.sh")
		cmd.Env = append(os.Environ(), "STATE="+testkit.ShortDir(t)+"/state", "LISTEN="+testkit.FreeAddr(t), "ROUTER="+testkit.FreeAddr(t), name+"="+taken)

		said, err := cmd.CombinedOutput()

		want := fmt.Sprintf("aorta: %s=%s is in use by process %d (", name, taken, os.Getpid())
		if err == nil || !strings.HasPrefix(string(said), want) || strings.Count(string(said), "\n") != 1 {
			t.Errorf("got %v and\n%s\nwant %q and nothing built", err, said, want)
		}
	}
}
