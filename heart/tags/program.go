package tags

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"aorta/pacemaker/cluster"
)

const (
	// programTime is how long the executable may take.
	programTime = 5 * time.Second
	// programOutput is how much it may print.
	programOutput = 64 << 10
)

// runProgram runs the executable, which prints one KEY=VALUE a line; empty lines
// and those that begin with # say nothing. What it starts ends with it. Its
// environment is a path alone: what this process was given is not its business.
func runProgram(ctx context.Context, path string) (map[string]string, error) {
	bounded, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	cmd := exec.CommandContext(bounded, path)
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	said, complained := &head{limit: programOutput, full: cancel}, &head{limit: 1 << 10, full: func() {}}
	cmd.Stdout, cmd.Stderr = said, complained
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind, if anything
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case said.more:
		return nil, refused(path, "printed more than %d kB", programOutput>>10)
	case errors.Is(bounded.Err(), context.DeadlineExceeded):
		return nil, refused(path, "took longer than %s", programTime)
	case err != nil:
		return nil, refused(path, "failed: %v%s", err, quoted(complained.String()))
	}
	return parse(path, said.String())
}

// parse reads what the executable printed.
func parse(path, text string) (map[string]string, error) {
	found := map[string]string{}
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, refused(path, "line %d is not KEY=VALUE: %q", number+1, cluster.Clip(line))
		}
		if _, twice := found[key]; twice {
			return nil, refused(path, "line %d gives %s a second time", number+1, cluster.Clip(key))
		}
		found[key] = value
	}
	var invalid *cluster.Error
	if err := cluster.ValidateTags("tags", found); errors.As(err, &invalid) {
		return nil, refused(path, "%s", invalid.Message)
	}
	return found, nil
}

func refused(path, format string, args ...any) error {
	return cluster.Unavailable("the program of tags %s %s", path, fmt.Sprintf(format, args...))
}

func quoted(complaint string) string {
	if complaint = strings.TrimSpace(complaint); complaint == "" {
		return ""
	}
	return ": " + cluster.Clip(complaint)
}

// head keeps the beginning of what is written to it, takes the rest, and calls full
// when there is one.
type head struct {
	text  []byte
	limit int
	full  func()
	more  bool
}

func (h *head) String() string { return string(h.text) }

// Write is part of io.Writer.
func (h *head) Write(p []byte) (int, error) {
	room := min(len(p), h.limit-len(h.text))
	h.text = append(h.text, p[:room]...)
	if room < len(p) {
		h.more = true
		h.full()
	}
	return len(p), nil
}
