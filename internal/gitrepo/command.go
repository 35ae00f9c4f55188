package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// plumbingTimeout bounds commands that read or write a few small files.
	plumbingTimeout = 30 * time.Second
	// stopGrace is how long git may tidy up its lock files and its quarantine
	// after SIGTERM.
	stopGrace = 5 * time.Second
	// maxStderr is as much of git's stderr as an error quotes, in bytes.
	maxStderr = 400
)

// command makes a git process for the repository in dir. Nothing of our own
// environment but PATH reaches it, and no configuration but the repository's
// own and what is said here.
func command(ctx context.Context, dir string, config []string, args ...string) *exec.Cmd {
	argv := []string{"--git-dir=" + dir, "-c", "safe.directory=*"}
	for _, c := range config {
		argv = append(argv, "-c", c)
	}
	cmd := exec.CommandContext(ctx, "git", append(argv, args...)...)
	cmd.Dir = "/"
	cmd.Env = environment()
	// Its own group, so that whatever git started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	return cmd
}

func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/nonexistent",
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_TERMINAL_PROMPT=0",
		// No command of ours reaches out; a name that no protocol has.
		"GIT_ALLOW_PROTOCOL=none",
	}
}

// noHooks keeps plumbing from running hooks of any kind: update-ref would run
// reference-transaction.
var noHooks = []string{"core.hooksPath=/dev/null"}

// run gives what a short git command printed.
func (r Repo) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, plumbingTimeout)
	defer cancel()
	cmd := command(ctx, r.Dir, noHooks, args...)
	var out bytes.Buffer
	stderr := &tail{limit: maxStderr}
	cmd.Stdout, cmd.Stderr = &out, stderr
	if err := finish(cmd); err != nil {
		return "", r.byDisk(stderr.String(), failure(ctx, args[0], stderr, err))
	}
	return out.String(), nil
}

// finish starts git and waits for its end.
func finish(cmd *exec.Cmd) error { return finishWithin(MaxMemory, cmd) }

// finishWithin bounds the memory of each process of it, in bytes.
func finishWithin(memory uint64, cmd *exec.Cmd) error {
	if err := start(cmd, memory); err != nil {
		return err
	}
	return cmd.Wait()
}

// failure names the command, the cause and what git printed on stderr.
func failure(ctx context.Context, verb string, stderr *tail, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if text := stderr.String(); text != "" {
		return fmt.Errorf("run git %s: %w: %s", verb, err, text)
	}
	return fmt.Errorf("run git %s: %w", verb, err)
}

// exitCode gives the code that git ended with, or -1 when it did not end by
// itself.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// tail keeps the last bytes written to it.
type tail struct {
	limit int
	buf   []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if extra := len(t.buf) - t.limit; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(p), nil
}

// String is the kept text on one line.
func (t *tail) String() string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(t.buf), "�")), " ")
}
