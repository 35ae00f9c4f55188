package build

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"aorta/pacemaker/cluster"
)

// maxCommand is the longest command of a process type, in bytes.
const maxCommand = 8 << 10

// ParseProcfile parses lines of "name: command" and skips empty lines and
// comments (#). Types are in the file's order.
func ParseProcfile(data []byte) ([]cluster.ProcessType, error) {
	var types []cluster.ProcessType
	seen := map[string]int{}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		where := fmt.Sprintf("Procfile:%d", n)
		name, command, ok := strings.Cut(line, ":")
		if !ok {
			return nil, cluster.Invalid(where, "%q is not of the form name: command", cluster.Clip(line))
		}
		name, command = strings.TrimSpace(name), strings.TrimSpace(command)
		if err := cluster.ValidateName(where, name); err != nil {
			return nil, err
		}
		if err := validateCommand(where, command); err != nil {
			return nil, err
		}
		if first := seen[name]; first != 0 {
			return nil, cluster.Invalid(where, "process type %s is already in line %d", name, first)
		}
		seen[name] = n
		types = append(types, cluster.ProcessType{Name: name, Command: command})
	}
	if len(types) == 0 {
		return nil, cluster.Invalid("Procfile", "names no process type (a line such as web: ./server)")
	}
	return types, nil
}

func validateCommand(where, command string) error {
	switch {
	case command == "":
		return cluster.Invalid(where, "the command is empty")
	case len(command) > maxCommand:
		return cluster.Invalid(where, "the command is %d bytes long; the limit is %d", len(command), maxCommand)
	case !utf8.ValidString(command) || strings.ContainsRune(command, 0):
		return cluster.Invalid(where, "the command is not text")
	}
	return nil
}
