package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
)

// explainUnknown makes every command with subcommands refuse an unknown one and
// suggest similar names.
func explainUnknown(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		explainUnknown(sub)
	}
	if !cmd.HasSubCommands() || cmd.Args != nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownCommand(cmd, args)
	}
	if cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// unknownCommand says what a command has instead of the word that follows it.
func unknownCommand(cmd *cobra.Command, args []string) error {
	says := fmt.Sprintf("%s has no command %q", cmd.CommandPath(), clean(args[0]))
	if near := similar(cmd, args); len(near) > 0 {
		return errors.New(says + `; did you mean "` + strings.Join(near, `" or "`) + `"?`)
	}
	if to := meantBy(cmd, args[0]); to != "" {
		return errors.New(says + "; perhaps: " + to)
	}
	if cmd.HasParent() {
		says += " (it has: " + strings.Join(subcommands(cmd), ", ") + ")"
	}
	return errors.New(says)
}

func subcommands(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// ending are commands that stop or delete something, which nobody is to come to by
// mistyping another one.
var ending = []string{"abort", "cancel", "destroy", "discard", "logout", "prune", "remove", "revoke", "stop", "unset", "unset-secret"}

// similar are the commands whose names are near the words that follow cmd.
func similar(cmd *cobra.Command, args []string) []string {
	var found []string
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || slices.Contains(ending, c.Name()) || !near(args[0], c.Name()) {
			continue
		}
		found = append(found, c.CommandPath())
		if len(args) == 1 || !c.HasSubCommands() {
			continue
		}
		for _, sub := range c.Commands() {
			if sub.Name() == args[1] || near(args[1], sub.Name()) && !slices.Contains(ending, sub.Name()) {
				found[len(found)-1] = sub.CommandPath()
			}
		}
	}
	if cmd.HasParent() || len(found) > 0 {
		return found
	}
	for _, h := range habits {
		if h.run != "" && !strings.Contains(h.words, " ") && near(args[0], h.words) && !slices.Contains(ending, lastWord(h.run)) {
			found = append(found, "aorta "+h.run)
		}
	}
	return found
}

func lastWord(s string) string { return s[strings.LastIndex(s, " ")+1:] }

// near says whether typed is the beginning of name, or differs from it by few
// letters.
func near(typed, name string) bool {
	typed = strings.ToLower(typed)
	if len(typed) > 1 && strings.HasPrefix(name, typed) {
		return true
	}
	allowed := 1
	if len(name) > 4 {
		allowed = 2
	}
	return levenshtein.Distance(typed, name, nil) <= allowed
}
