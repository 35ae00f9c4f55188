package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// splitColon turns apps:create into apps create if there is such a command. It
// changes the command's name only, never a flag's value or an argument.
func splitColon(root *cobra.Command, args []string) []string {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case takesNext(root, a):
			i++
		case strings.HasPrefix(a, "-"):
		default:
			parent, child, found := strings.Cut(a, ":")
			if !found || !hasCommand(root, parent, child) {
				return args
			}
			out := append([]string{}, args[:i]...)
			return append(append(out, parent, child), args[i+1:]...)
		}
	}
	return args
}

// takesNext says whether the next argument is this flag's value.
func takesNext(root *cobra.Command, arg string) bool {
	name, long := strings.CutPrefix(arg, "--")
	flags := root.PersistentFlags()
	flag := flags.Lookup(name)
	if !long && len(arg) == 2 && arg[0] == '-' {
		flag = flags.ShorthandLookup(arg[1:])
	}
	return flag != nil && strings.HasPrefix(arg, "-") && flag.NoOptDefVal == ""
}

func hasCommand(root *cobra.Command, parent, child string) bool {
	for _, p := range root.Commands() {
		if p.Name() != parent {
			continue
		}
		for _, c := range p.Commands() {
			if c.Name() == child {
				return true
			}
		}
	}
	return false
}
