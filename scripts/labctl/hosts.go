package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aorta/internal/testkit/lab"
)

// bootTimeout bounds the start of hosts.
const bootTimeout = 5 * time.Minute

func up(ctx context.Context, dir string, args []string) error {
	flags := newFlags("up")
	roles := flags.String("roles", "", "")
	memory := flags.Float64("memory", 2, "")
	bare := flags.Bool("bare", false, "")
	empty := flags.Bool("empty", false, "")
	app := flags.String("app", "", "")
	words, err := parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 1 {
		return fmt.Errorf("%w: %q is no number of hosts", errUsage, words[0])
	}
	specs := lab.Specs(n)
	if *empty {
		specs = make([]lab.Spec, n)
	}
	if err := applyRoles(specs, *roles); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	began := time.Now()
	l, err := lab.Up(ctx, lab.Options{
		Dir: dir, Tree: ".", Daemon: "bin/aortad", Client: "bin/aorta", Hosts: specs, Memory: int64(*memory * (1 << 30)), Bare: *bare,
		First: first(*app), Say: os.Stderr,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "lab: %d hosts are up after %.1f s\n", len(l.Hosts), time.Since(began).Seconds())
	if err := l.Status(ctx, os.Stdout); err != nil {
		return err
	}
	fmt.Print(next)
	return nil
}

// next is what to try with a lab.
const next = `
Try next      scripts/lab shell n1          (there: aorta nodes, docker ps)
              scripts/lab load hello --rate 200/s --for 10s
              scripts/lab cut n2 n1         and scripts/lab heal
              scripts/lab kill n3           and scripts/lab boot n3

Take it away  scripts/lab down
`

// first deploys the example on the first host, by a script that is given where the
// API is, where the router is, and the app's host.
func first(script string) func(context.Context, *lab.Lab) error {
	if script == "" {
		return nil
	}
	return func(ctx context.Context, l *lab.Lab) error {
		h := l.Pacemaker()
		cmd := exec.CommandContext(ctx, script, h.API(), h.Router(), "hello."+lab.Domain)
		cmd.Env = append(append(os.Environ(), h.Env()...), "STATE="+h.Disk())
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return h.Run(cmd)
	}
}

// applyRoles reads n2=heart,n3=router+builder.
func applyRoles(specs []lab.Spec, text string) error {
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		host, roles, ok := strings.Cut(part, "=")
		n, err := strconv.Atoi(strings.TrimPrefix(host, "n"))
		if !ok || err != nil || n < 1 || n > len(specs) {
			return fmt.Errorf("%w: --roles %q is not HOST=ROLE+ROLE, with a host of n1 … n%d", errUsage, part, len(specs))
		}
		specs[n-1].Roles = nil
		if roles != "none" {
			specs[n-1].Roles = strings.Split(roles, "+")
		}
	}
	return nil
}

func down(ctx context.Context, dir string, args []string) error {
	if _, err := parse(newFlags("down"), args, 0, 0); err != nil {
		return err
	}
	l, err := lab.Open(dir, os.Stderr)
	if errors.Is(err, lab.ErrNone) {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return nil
	}
	if err != nil {
		return err
	}
	return l.Down(ctx)
}

func kill(ctx context.Context, dir string, args []string) error {
	_, h, err := named(dir, "kill", args)
	if err != nil {
		return err
	}
	return h.Kill(ctx)
}

func boot(ctx context.Context, dir string, args []string) error {
	_, h, err := named(dir, "boot", args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	return h.Boot(ctx)
}

func cut(ctx context.Context, dir string, args []string) error {
	flags := newFlags("cut")
	loud := flags.Bool("loud", false, "")
	words, err := parse(flags, args, 1, 2)
	if err != nil {
		return err
	}
	l, err := lab.Open(dir, os.Stderr)
	if err != nil {
		return err
	}
	words = append(words, "")
	return l.Cut(ctx, lab.Cut{A: words[0], B: words[1], Loud: *loud})
}

func heal(ctx context.Context, dir string, args []string) error {
	if _, err := parse(newFlags("heal"), args, 0, 0); err != nil {
		return err
	}
	l, err := lab.Open(dir, os.Stderr)
	if err != nil {
		return err
	}
	return l.Heal(ctx)
}

// enter runs a command on a host, with the terminal that we have.
func enter(_ context.Context, dir string, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("%w: run HOST COMMAND …", errUsage)
	}
	l, err := lab.Open(dir, os.Stderr)
	if err != nil {
		return err
	}
	room, err := l.Room(args[0])
	if err != nil {
		return err
	}
	env := l.Env()
	if i := slices.IndexFunc(l.Hosts, func(h *lab.Host) bool { return h.Room == room }); i >= 0 {
		env = l.Hosts[i].Env()
	}
	for _, kv := range env { // also for finding the command
		name, value, _ := strings.Cut(kv, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{} // of our session, so that it has the terminal
	err = room.Run(cmd)
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return exitError{max(1, ended.ExitCode())}
	}
	return err
}

// guard takes the lab of a directory away when a process has ended.
func guard(ctx context.Context, _ string, args []string) error {
	words, err := parse(newFlags("guard"), args, 2, 2)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(words[1])
	if err != nil {
		return fmt.Errorf("%w: %q is no process", errUsage, words[1])
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil { // else it has ended
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return down(ctx, words[0], nil)
}
