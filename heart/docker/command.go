package docker

import (
	"path"
	"strings"

	"github.com/moby/moby/api/types/container"

	"aorta/pacemaker/cluster"
)

// setCommand has a process type's own command run in place of the image's entry point
// and command: a list as it is, a text in the app's own shell, inside its own container.
func setCommand(c *container.Config, command string) {
	if command == "" {
		return
	}
	args, isList := cluster.CommandArgs(command)
	if !isList {
		args = []string{"/bin/sh", "-c", shellLine(command)}
	}
	c.Entrypoint, c.Cmd = args, []string{}
}

// notExecutable are first words of commands that can't follow exec.
var notExecutable = map[string]bool{
	"exec": true, "cd": true, "export": true, "set": true, "unset": true, "eval": true, "source": true, ".": true, "ulimit": true, "umask": true,
	"trap": true, "if": true, "for": true, "while": true, "until": true, "case": true, "!": true, "{": true, "[": true, "test": true,
}

// shellLine puts exec before a simple command, so that the command itself and
// not its shell gets the stop signal. A compound one (cd x && ./server) is left
// as it is; its author can write exec before the last part.
func shellLine(command string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	if notExecutable[first] || strings.ContainsAny(first, "=(") || strings.ContainsAny(command, ";&|\n") {
		return command
	}
	return "exec " + command
}

// inits are programs that reap zombies themselves. Some of them (s6, systemd)
// refuse to start as anything but process 1.
var inits = map[string]bool{
	"init": true, "systemd": true, "s6-svscan": true, "runit-init": true, "my_init": true,
	"tini": true, "tini-static": true, "dumb-init": true, "docker-init": true, "catatonit": true,
}

// bringsInit says that what is started, without a shell, is an init of the image's own.
func bringsInit(s cluster.InstanceSpec, img Image) bool {
	args := img.Command
	if s.Command != "" {
		args, _ = cluster.CommandArgs(s.Command)
	}
	return len(args) > 0 && inits[path.Base(args[0])]
}
