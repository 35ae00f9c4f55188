package testkit

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// insideEnv tells the test binary that it is in a network namespace of one test.
const insideEnv = "AORTA_TEST_OWN_NETWORK"

// InOwnNetwork runs the test in a process with a network namespace of its own, whose
// addresses and rules are nobody else's. It says whether this is that process; in the
// other one the test is over.
func InOwnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) != "" {
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("bring up the loopback interface: %v: %s", err, out)
		}
		return true
	}
	if testing.Short() {
		t.Skip("a quick check makes no networks")
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	log, err := os.Create(t.TempDir() + "/log")
	Must(t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	<-StartChild(t, cmd)
	if state := cmd.ProcessState; state == nil || !state.Success() {
		text, _ := os.ReadFile(log.Name())
		t.Errorf("in a network of its own: %v\n%s", state, text)
	}
	return false
}

// OwnNetwork is the network namespace of this process if that is its test's.
func OwnNetwork() string {
	if os.Getenv(insideEnv) == "" {
		return ""
	}
	return "/proc/self/ns/net"
}
