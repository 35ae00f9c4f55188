package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"aorta/internal/testkit"
)

func (c *cli) pipe(name string) {
	c.tb.Helper()
	testkit.Must(c.tb, syscall.Mkfifo(filepath.Join(c.dir, name), 0o600))
}

// Who opens a pipe waits for ever: what says how the source is built is refused by its
// name, and whatever else is no file is left out by it.
func TestDeploy_OpensNoPipe(t *testing.T) {
	for _, name := range []string{"aorta.yml", "Procfile", "app.json", ".dockerignore", "Dockerfile.dockerignore"} {
		c := newCLI(t, shop(t))
		c.file("Dockerfile", "FROM scratch\n")
		c.pipe(name)

		ran := c.run("deploy", "-a", "shop")

		wantCode(t, ran, exitUsage)
		wantIn(t, "stderr", ran.err, name+" is a named pipe")
	}
	api := shop(t)
	got := takesArchives(t, api)
	c := newCLI(t, api)
	c.file("Dockerfile", "FROM scratch\n")
	c.pipe("wait")

	ran := c.run("deploy", "-a", "shop", "--detach")

	wantCode(t, ran, 0)
	wantIn(t, "stderr", ran.err, "left out, since they are no files: wait (a named pipe)")
	if len(got.files) != 1 {
		t.Errorf("got %v sent, want the Dockerfile alone", got.files)
	}
}

// A command that waits for what never comes ends by a signal all the same.
func TestProgram_EndsByASignalWhileItReadsAPipe(t *testing.T) {
	bin := builtCLI(t)
	c := newCLI(t, shop(t))
	c.pipe("vars.env")
	cmd := exec.CommandContext(testkit.Bounded(t), bin, "config", "set", "--file", "vars.env", "-a", "shop", "--url", "http://127.0.0.1:1")
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "HOME="+c.dir, "AORTA_TOKEN=x")
	var said bytes.Buffer
	cmd.Stderr = &said
	testkit.Must(t, cmd.Start())
	w, err := os.OpenFile(filepath.Join(c.dir, "vars.env"), os.O_WRONLY, 0) // waits until it is read
	testkit.Must(t, err)
	defer w.Close()

	testkit.Must(t, cmd.Process.Signal(syscall.SIGTERM))
	_ = cmd.Wait() // the code tells

	if code := cmd.ProcessState.ExitCode(); code != exitFailed || said.String() != "interrupted\n" {
		t.Errorf("got exit %d and %q, want %d and that it was interrupted", code, said.String(), exitFailed)
	}
}
