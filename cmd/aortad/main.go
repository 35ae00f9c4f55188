// Command aortad is the daemon of a node: pacemaker, heart, router and builder
// in any mix. It reads the configuration, wires the parts and keeps their
// loops; what they do is in their own packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"aorta/heart/build"
	"aorta/internal/config"
	"aorta/internal/disk"
	"aorta/internal/procs"
	"aorta/pacemaker/cluster"
	"aorta/web/git"
)

// version is set at build time.
var version = "dev"

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitRefused = 3 // refused to start: says why and what to do; another start would end in the same way
)

func main() {
	// Managed servers may be away for a while; who asks them logs it, once.
	redis.SetLogger(silent{})
	if git.IsHook(os.Args[0]) {
		os.Exit(runHook())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func runHook() int {
	err := git.RunHook(context.Background(), git.HookIO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	if err != nil {
		fmt.Fprintln(os.Stderr, "aortad:", err)
		return exitFailure
	}
	return exitOK
}

// childCommand makes this program the process of one build, for a builder.
const childCommand = "build-child"

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if asksForHelp(args) {
		return printHelp(args, out, errOut)
	}
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	var err error
	switch command {
	case "run":
		err = runDaemon(ctx, args, out, errOut)
	case "join":
		err = joinCluster(ctx, args, out, errOut)
	case "check-config":
		err = checkConfig(ctx, args, out)
	case "stop":
		err = stopDaemon(ctx, args, out)
	case childCommand:
		err = build.Child(ctx, os.Stdin, out)
	case watchdogCommand:
		err = watchCutOff(ctx, args)
	case "version", "--version", "-v":
		fmt.Fprintln(out, version)
	default:
		return noCommand(command, errOut)
	}
	if err != nil {
		fmt.Fprintln(errOut, "aortad:", err)
	}
	return exitCode(err)
}

// refusal is an error that kept the daemon from starting.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// refused is the error of a start: a refusal, unless another start may come to a
// better end by itself. The service manager tries again then.
func refused(err error) error {
	passing := cluster.CodeOf(err) == cluster.CodeUnavailable || disk.Refused(err) ||
		errors.Is(err, procs.ErrNotReady) || errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, context.DeadlineExceeded)
	if passing {
		return disk.ExplainError(err)
	}
	return refusal{err}
}

func exitCode(err error) int {
	var refused refusal
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, config.ErrUsage):
		return exitUsage
	case errors.As(err, &refused), cluster.CodeOf(err) == cluster.CodeInvalid:
		return exitRefused
	}
	return exitFailure
}

func runDaemon(ctx context.Context, args []string, out, errOut io.Writer) error {
	env := environ()
	cfg, rest, err := config.Load(config.Sources{Environ: env, Flags: args})
	if err != nil {
		return refusal{err}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %q is no flag of run", config.ErrUsage, rest[0])
	}
	// What the daemon starts, nginx and all, is not to have it.
	if err := os.Unsetenv("AORTAD_JOBS_REDIS_URL"); err != nil {
		return fmt.Errorf("hide the jobs Redis from what is started: %w", err)
	}
	d := newDaemon(cfg, out, errOut)
	slog.SetDefault(d.log) // of the parts that are given none
	for _, says := range config.UnknownVariables(env) {
		d.log.Warn(says)
	}
	return d.run(ctx)
}

func environ() map[string]string {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	return env
}
