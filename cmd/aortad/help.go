package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"aorta/internal/config"
)

// command is what people may type after the program's name.
type command struct {
	name, usage, about string
}

var commands = []command{
	{"run", "run [--config FILE] [flags]", "run this node's roles"},
	{"join", "join https://ADDRESS:7421 --token TOKEN [--replace] [flags of run]", "make this machine a node of a cluster (the token: aorta nodes token; - reads it from the input), and run it"},
	{"check-config", "check-config FILE", "read a configuration file and the AORTAD_… variables, and say all that is wrong"},
	{"stop", "stop --data-dir DIR [--all] [--docker-host HOST]", "end the daemon with its managed Redis and nginx, with --all its instances too"},
	{"version", "version", "print the version"},
	{"help", "help [COMMAND]", "print this, or how to use a command"},
}

// absent are commands that are planned, with what there is instead.
var absent = map[string]string{
	"backup":  "backups are not there yet: README.md says which directory to copy (What can be lost)",
	"restore": "backups are not there yet: README.md says which directory to copy (What can be lost)",
	"start":   "to start the daemon: aortad run --config FILE",
}

// asksForHelp says whether a command line asks how it is used.
func asksForHelp(args []string) bool {
	isHelp := func(arg string) bool { return arg == "--help" || arg == "-h" || arg == "-help" }
	return len(args) > 0 && (args[0] == "help" || args[0] != childCommand && slices.ContainsFunc(args, isHelp))
}

// printHelp answers help, help COMMAND and COMMAND --help.
func printHelp(args []string, out, errOut io.Writer) int {
	name := args[0]
	if name == "help" && len(args) > 1 {
		name = args[1]
	}
	for _, c := range commands {
		if c.name == name && name != "help" {
			fmt.Fprintf(out, "aortad %s\n\n  %s\n", c.usage, c.about)
			if name == "run" {
				fmt.Fprintln(out, "\nFlags, which are options of the file and AORTAD_… variables too:")
				config.Usage(out)
			}
			return exitOK
		}
	}
	if !strings.HasPrefix(name, "-") && name != "help" {
		return noCommand(name, errOut)
	}
	printUsage(out)
	return exitOK
}

// noCommand says that there is no such command, and which there are.
func noCommand(name string, errOut io.Writer) int {
	switch instead, planned := absent[name]; {
	case planned:
		fmt.Fprintf(errOut, "aortad: %s\n", instead)
		return exitUsage
	case name != "":
		fmt.Fprintf(errOut, "aortad: there is no command %q\n\n", name)
	}
	printUsage(errOut)
	return exitUsage
}

func printUsage(w io.Writer) {
	fmt.Fprintln(w, "aortad is the daemon of an Aorta node.")
	for _, c := range commands {
		fmt.Fprintf(w, "\n  aortad %s\n      %s\n", c.usage, c.about)
	}
	fmt.Fprintln(w, "\nflags: aortad run --help")
}
