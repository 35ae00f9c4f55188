// Command aorta is the CLI: it translates commands into calls of the REST API,
// through web/client alone, and prints the answers. It decides nothing about the
// cluster and stores only the contexts' file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

// version is set when the program is linked.
var version = ""

// Program is the CLI with its environment, so that tests can replace it.
type Program struct {
	Getenv     func(string) string
	Dir        string // base of relative paths, and where git runs; empty for the process's own
	Executable string // that git calls for credentials
	Now        func() time.Time
	IsTerminal func(io.Writer) bool
}

// NewProgram uses the process's environment.
func NewProgram() *Program {
	self, err := os.Executable()
	if err != nil {
		self = "aorta"
	}
	return &Program{Getenv: os.Getenv, Executable: self, Now: time.Now, IsTerminal: isTerminal}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// Run runs one command line, without the program's name, and returns the exit
// code. Data goes to stdout, progress and errors to stderr.
func (p *Program) Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := &session{p: p, in: stdin, out: p.screen(stdout), err: p.screen(stderr)}
	defer s.close()
	root := rootCommand(s)
	root.SetArgs(splitColon(root, args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !s.started {
		// Flags, arguments and unknown commands: nothing has run yet.
		err = usageError{err}
	}
	return s.report(err)
}

func rootCommand(s *session) *cobra.Command {
	root := &cobra.Command{
		Use: "aorta", Short: "Run apps on your own machines",
		Long:          "aorta deploys and manages apps on an Aorta cluster.",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRun: func(*cobra.Command, []string) { s.started = true },
	}
	f := root.PersistentFlags()
	f.StringVar(&s.flags.url, "url", "", "URL of the cluster (default: $AORTA_URL, then the context's)")
	f.StringVar(&s.flags.token, "token", "", "token, or - to read it from stdin (default: $AORTA_TOKEN, then the context's)")
	f.StringVar(&s.flags.context, "context", "", "context to use (list them: aorta contexts)")
	f.StringVarP(&s.flags.app, "app", "a", "", "app (default: $AORTA_APP, then the git remote \"aorta\")")
	f.BoolVar(&s.flags.json, "json", false, "print JSON")
	// Commands work without completion.
	_ = root.RegisterFlagCompletionFunc("app", s.completeApps)
	_ = root.RegisterFlagCompletionFunc("context", s.completeContexts)
	root.AddCommand(
		loginCommand(s), whoamiCommand(s), contextsCommand(s), versionCommand(s), credentialCommand(s),
		appsCommand(s), configCommand(s), domainsCommand(s), routeCommand(s),
		deployCommand(s), gitCommand(s), buildsCommand(s), imagesCommand(s), releasesCommand(s), rollbackCommand(s),
		psCommand(s), logsCommand(s), statsCommand(s),
		jobsCommand(s), nodesCommand(s), statusCommand(s),
	)
	explainUnknown(root)
	return root
}

// explainUnknown makes every command with subcommands refuse an unknown one and
// suggest similar names; cobra does so for the root alone.
func explainUnknown(cmd *cobra.Command) {
	cmd.SuggestionsMinimumDistance = 2
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
		return unknownCommand(cmd, args[0])
	}
	if cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

func unknownCommand(cmd *cobra.Command, word string) error {
	msg := fmt.Sprintf("%s has no command %q", cmd.CommandPath(), clean(word))
	for i, near := range cmd.SuggestionsFor(word) {
		if i == 0 {
			msg += "; did you mean"
		}
		msg += fmt.Sprintf(" %q", cmd.CommandPath()+" "+near)
	}
	return errors.New(msg)
}

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if s.flags.json {
				return s.out.json(map[string]string{"version": versionName()})
			}
			s.out.line("%s", versionName())
			return nil
		},
	}
}

func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
