// Command labctl plays with a lab: several hosts on this machine, each with a network,
// a Docker engine and aortad of its own (internal/testkit/lab). scripts/lab builds and
// runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"aorta/internal/testkit/lab"
)

const usage = `scripts/lab up N [--roles n2=heart,n3=router+builder,n4=none] [--memory GB]
scripts/lab up N --empty             with engines, and without a daemon
scripts/lab status
scripts/lab cut A [B] [--loud]       A from B, or from everybody
scripts/lab heal
scripts/lab kill HOST                as without power
scripts/lab boot HOST
scripts/lab load APP [--rate 200/s] [--for 30s] [--via n2,n3] [--post]
                                     [--path /] [--says TEXT]   of apps other than the example
scripts/lab shell HOST               bash there, or at the clients (client)
scripts/lab run HOST COMMAND …
scripts/lab down

The lab lies in LAB (.state/lab).
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Getenv("LAB"), os.Args[1:])
	stop()
	var ended exitError
	switch {
	case errors.As(err, &ended):
		os.Exit(ended.code)
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, err, "\n\n", usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

// exitError is how a command ended that was run on a host; it has said why itself.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

var errUsage = errors.New("usage")

// commands work on the lab of a directory.
var commands = map[string]func(ctx context.Context, dir string, args []string) error{
	"up": up, "down": down, "status": status, "cut": cut, "heal": heal, "kill": kill, "boot": boot,
	"load": load, "run": enter, "guard": guard,
}

func run(ctx context.Context, dir string, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Print(usage)
		return nil
	}
	command, known := commands[args[0]]
	if !known {
		return fmt.Errorf("%w: there is no command %q", errUsage, args[0])
	}
	if dir == "" {
		dir = ".state/lab"
	}
	return command(ctx, dir, args[1:])
}

// parse reads flags wherever they stand, and wants from least to most other words.
func parse(flags *flag.FlagSet, args []string, least, most int) ([]string, error) {
	flags.SetOutput(io.Discard)
	var words []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		words, args = append(words, args[0]), args[1:]
	}
	if len(words) < least || len(words) > most {
		return nil, fmt.Errorf("%w: %s takes %d to %d words, got %q", errUsage, flags.Name(), least, most, strings.Join(words, " "))
	}
	return words, nil
}

func newFlags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }

// named gives the lab and one of its hosts.
func named(dir, command string, args []string) (*lab.Lab, *lab.Host, error) {
	words, err := parse(newFlags(command), args, 1, 1)
	if err != nil {
		return nil, nil, err
	}
	l, err := lab.Open(dir, os.Stderr)
	if err != nil {
		return nil, nil, err
	}
	h, err := l.Host(words[0])
	return l, h, err
}
