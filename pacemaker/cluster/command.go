package cluster

import "encoding/json"

// CommandArgs are the arguments of a command that is a list in JSON, as a Dockerfile's
// CMD may be: it is started without a shell. is says that the command is such a list.
func CommandArgs(command string) (args []string, is bool) {
	if len(command) == 0 || command[0] != '[' {
		return nil, false
	}
	if err := json.Unmarshal([]byte(command), &args); err != nil {
		return nil, false
	}
	return args, true
}

// CommandOf is the command that has these arguments and is started without a shell.
func CommandOf(args []string) string {
	text, err := json.Marshal(args)
	if err != nil {
		panic(err) // texts can be written
	}
	return string(text)
}
