package build

import (
	"strings"
	"unicode/utf8"

	"aorta/pacemaker/cluster"
)

// maxCommand is the longest command of a process type, in bytes.
const maxCommand = 8 << 10

// command is a text, which a shell reads, or a list of arguments, which none does.
type command string

// UnmarshalYAML keeps a list as a Dockerfile writes it, in JSON.
func (c *command) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		*c = command(text)
		return nil
	}
	var args []string
	if err := unmarshal(&args); err != nil {
		return err
	}
	*c = command(cluster.CommandOf(args))
	return nil
}

func validateCommand(where, command string) error {
	args, isList := cluster.CommandArgs(command)
	switch {
	case command == "":
		return cluster.Invalid(where, "the command is empty")
	case isList && (len(args) == 0 || args[0] == ""):
		return cluster.Invalid(where, "the command names no program")
	case len(command) > maxCommand:
		return cluster.Invalid(where, "the command is %d bytes long; the limit is %d", len(command), maxCommand)
	case !utf8.ValidString(command) || strings.ContainsRune(command, 0) || strings.ContainsRune(strings.Join(args, ""), 0):
		return cluster.Invalid(where, "the command is not text")
	}
	return nil
}
