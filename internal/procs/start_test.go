package procs

import (
	"os/exec"
	"syscall"
	"testing"

	"aorta/internal/testkit"
)

// How a child ended can be said, also of one that has ended before anybody looks.
func TestStartBound_KnowsHowAChildEndedThatEndsAtOnce(t *testing.T) {
	for range 20 {
		cmd := exec.Command("false")
		cmd.SysProcAttr = &syscall.SysProcAttr{}

		p, err := startBound(cmd)
		if err != nil {
			t.Fatalf("start: %v", err)
		}
		testkit.Eventually(t, "nothing to be left of the child", func() bool { return !alive(p.pid) })

		if got := p.collect(); !p.exited() || got != "exit status 1" {
			t.Fatalf("got %q, want exit status 1", got)
		}
		p.close()
	}
}
