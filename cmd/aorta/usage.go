package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageOf are the lines that say how a command is used, with an example.
func usageOf(cmd *cobra.Command) []string {
	if cmd == nil || !cmd.HasParent() {
		return []string{"all commands: aorta help"}
	}
	lines := []string{"usage:   " + strings.Replace(cmd.UseLine(), " [flags]", "", 1)}
	if first := firstLine(cmd.Example); first != "" {
		lines = append(lines, "example: "+first)
	}
	return append(lines, "more:    "+cmd.CommandPath()+" --help")
}

// flagError says in words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &empty):
		return fmt.Errorf("%s needs a value", flagName(empty.GetFlag()))
	case errors.As(err, &wrong) && isChoice(wrong.GetFlag()):
		return fmt.Errorf("%s: %w", flagName(wrong.GetFlag()), wrong.Unwrap())
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: %q is not %s", flagName(wrong.GetFlag()), clean(wrong.GetValue()), kindOf(wrong.GetFlag()))
	}
	return err
}

func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + " (--" + f.Name + ")"
	}
	return "--" + f.Name
}

func isChoice(f *pflag.Flag) bool {
	_, is := f.Value.(*choice)
	return is
}

// kindOf is what a flag's value must be.
func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint":
		return "a whole number"
	case "float64":
		return "a number, such as 0.5"
	case "bool":
		return "true or false"
	}
	return "what it takes: " + f.Usage
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	typed := e.GetSpecifiedName()
	dashes := "--"
	if e.GetSpecifiedShortnames() != "" {
		dashes = "-"
	}
	says := fmt.Sprintf("%s has no flag %s%s", cmd.CommandPath(), dashes, clean(typed))
	var similar []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if dashes == "--" && !f.Hidden && near(typed, f.Name) {
			similar = append(similar, "--"+f.Name)
		}
	})
	if len(similar) > 0 {
		says += "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return errors.New(says)
}
