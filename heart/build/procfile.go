package build

import (
	"strings"

	"aorta/pacemaker/cluster"
)

// ParseProcfile parses lines of "name: command" and skips empty lines and
// comments (#). Types are in the file's order.
func ParseProcfile(data []byte) ([]cluster.ProcessType, error) {
	var types []cluster.ProcessType
	var wrong mistakes
	seen := map[string]int{}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		t, err := parseProcess(line)
		if err == nil && seen[t.Name] != 0 {
			err = cluster.Invalid("", "process type %s is already in line %d", t.Name, seen[t.Name])
		}
		if err != nil {
			if len(wrong) < maxMistakes {
				wrong = append(wrong, mistake{file: procfileName, line: n, column: startOf(line), text: err.Error()})
			}
			continue
		}
		seen[t.Name] = n
		types = append(types, t)
	}
	if len(types) == 0 && len(wrong) == 0 {
		wrong = mistakes{{file: procfileName, text: "names no process type (a line such as web: ./server)"}}
	}
	return types, wrong.err()
}

// parseProcess parses one line.
func parseProcess(line string) (cluster.ProcessType, error) {
	line = strings.TrimSpace(line)
	name, command, ok := strings.Cut(line, ":")
	if !ok {
		return cluster.ProcessType{}, cluster.Invalid("", "%q is not of the form name: command", cluster.Clip(line))
	}
	t := cluster.ProcessType{Name: strings.TrimSpace(name), Command: strings.TrimSpace(command)}
	if err := cluster.ValidateName("", t.Name); err != nil {
		return t, err
	}
	return t, validateCommand("", t.Command)
}

// startOf is the column of a line's first character that is no space.
func startOf(line string) int {
	return 1 + len(line) - len(strings.TrimLeft(line, " \t"))
}
