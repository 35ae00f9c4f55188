package rig

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"aorta/internal/testkit"
)

// insideEnv tells the test binary that it is in a network namespace of one test.
const insideEnv = "AORTA_TEST_OWN_NETWORK"

// InOwnNetwork runs the test in a process with a network namespace of its own, which
// an OwnEngine of it shares: what listens on the engine's bridges can be reached. It
// says whether this is that process; in the other one the test is over.
func InOwnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) != "" {
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("bring up the loopback interface: %v: %s", err, out)
		}
		return true
	}
	if testing.Short() {
		t.Skip("needs a Docker engine, which a quick check does not start")
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	log, err := os.Create(t.TempDir() + "/log")
	testkit.Must(t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	<-testkit.StartChild(t, cmd)
	if state := cmd.ProcessState; state == nil || !state.Success() {
		text, _ := os.ReadFile(log.Name())
		t.Errorf("in a network of its own: %v\n%s", state, text)
	}
	return false
}

// ownNetwork is the network namespace of this process if that is its test's.
func ownNetwork() string {
	if os.Getenv(insideEnv) == "" {
		return ""
	}
	return "/proc/self/ns/net"
}
