package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
)

// takes checks a command's arguments by their names, as its usage line has them:
// NAME is needed, [NAME] is not, and NAME… stands for any number.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for i, name := range names {
			if i >= len(args) && !strings.HasPrefix(name, "[") {
				return fmt.Errorf("%s needs %s", cmd.CommandPath(), strings.TrimSuffix(strings.Join(names[i:], " and "), "…"))
			}
		}
		if len(args) <= len(names) || len(names) > 0 && strings.HasSuffix(strings.Trim(names[len(names)-1], "[]"), "…") {
			return nil
		}
		return tooMany(cmd, args[len(names)], len(names))
	}
}

func tooMany(cmd *cobra.Command, arg string, taken int) error {
	says := fmt.Sprintf("%s takes %s, and not %q", cmd.CommandPath(), argumentCount(taken), clean(arg))
	if to := meantBy(cmd, arg); to != "" {
		says += "; perhaps: " + to
	}
	return errors.New(says)
}

func argumentCount(n int) string {
	switch n {
	case 0:
		return "no argument"
	case 1:
		return "one argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// meant is the command that people mean by a word that follows another one's.
var meant = map[string]string{
	"aorta apps":     "aorta apps info %s",
	"aorta config":   "aorta config get %s",
	"aorta contexts": "aorta contexts use %s",
	"aorta jobs":     "aorta jobs show %s",
	"aorta nodes":    "aorta nodes show %s",
	"aorta releases": "aorta releases info %s",
	"aorta domains":  "aorta domains add %s",

	"aorta ps":             "aorta ps -a %s",
	"aorta logs":           "aorta logs -a %s",
	"aorta stats":          "aorta stats -a %s",
	"aorta route":          "aorta route -a %s",
	"aorta builds":         "aorta builds -a %s",
	"aorta images":         "aorta images -a %s",
	"aorta open":           "aorta open -a %s",
	"aorta ps start":       "aorta ps start -a %s",
	"aorta ps stop":        "aorta ps scale %s=0",
	"aorta builds secrets": "aorta builds secrets -a %s",
}

// meantBy is the command that a word which a command has no use for is meant for;
// empty if that is not known.
func meantBy(cmd *cobra.Command, arg string) string {
	to, isApp := meant[cmd.CommandPath()], cluster.ValidateName("app", arg) == nil
	ofApp := cmd.CommandPath() + " -a %s"
	switch _, _, pair := strings.Cut(arg, "="); {
	case pair && cmd.Name() == "config":
		to = "aorta config set %s"
	case pair:
		to = ""
	case cmd.Name() == "config" && cluster.ValidateConfigKey("", arg) != nil,
		cmd.Name() == "domains" && cluster.ValidateHost("", arg) != nil,
		cmd.Name() == "releases" && !isRelease(arg):
		to = ofApp
	}
	if to == "" || to == ofApp && !isApp || slices.Contains(verbs, arg) {
		return ""
	}
	return fmt.Sprintf(to, clean(arg))
}

// verbs are what other platforms' commands are called: nobody means an app by one.
var verbs = []string{
	"add", "clear", "create", "delete", "describe", "disable", "edit", "enable", "export", "failed", "get", "import", "info", "inspect", "list", "log", "logs", "ls",
	"output", "pull", "push", "remove", "report", "reset", "rm", "run", "set", "show", "unset", "update", "wait",
}

func isRelease(arg string) bool {
	_, err := releaseLabel(arg)
	return err == nil
}
