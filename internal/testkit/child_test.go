package testkit_test

import (
	"bytes"
	"context"
	"os/exec"
	"testing"

	"aorta/internal/testkit"
)

func TestEndWhole_EndsWhatHasTheOutputOpen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(testkit.Bounded(t))
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "sleep infinity & wait")
	testkit.EndWhole(cmd)
	cmd.Stdout = new(bytes.Buffer) // not a file, so that Run waits for its end
	ended := make(chan error, 1)
	testkit.Must(t, cmd.Start())

	cancel()
	go func() { ended <- cmd.Wait() }()

	if err := testkit.Receive(t, "the command to end", ended); err == nil {
		t.Error("got nil, want that it was ended")
	}
}
