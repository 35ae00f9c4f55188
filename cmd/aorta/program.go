// Command aorta is the CLI: it translates commands into calls of the REST API,
// through web/client alone, and prints the answers. It decides nothing about the
// cluster and stores only the contexts' file.
package main

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"strings"
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
	Width      func(io.Writer) int // of a terminal; 0 if that is not known
	Browse     func(ctx context.Context, url string) error
}

// NewProgram uses the process's environment.
func NewProgram() *Program {
	self, err := os.Executable()
	if err != nil {
		self = "aorta"
	}
	return &Program{Getenv: os.Getenv, Executable: self, Now: time.Now, IsTerminal: isTerminal, Width: terminalWidth, Browse: browse}
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
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	args, err := translate(root, args)
	if err != nil {
		return s.report(usageError{err})
	}
	root.SetArgs(args)
	s.command, err = root.ExecuteContextC(ctx)
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
		SilenceErrors: true, SilenceUsage: true, Version: versionName(),
		PersistentPreRun: func(*cobra.Command, []string) { s.begin() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	f := root.PersistentFlags()
	f.StringVar(&s.flags.url, "url", "", "URL of the cluster (default: $AORTA_URL, then the context's)")
	f.StringVar(&s.flags.token, "token", "", "token, or - to read it from stdin (default: $AORTA_TOKEN, then the context's)")
	f.StringVar(&s.flags.context, "context", "", "context to use (list them: aorta contexts)")
	f.StringVarP(&s.flags.app, "app", "a", "", "app (default: $AORTA_APP, then the git remote \"aorta\")")
	f.BoolVar(&s.flags.json, "json", false, "print JSON")
	f.BoolVar(&s.flags.wide, "wide", false, "cut nothing, however long the lines get")
	// Commands work without completion.
	_ = root.RegisterFlagCompletionFunc("app", s.completeApps())
	_ = root.RegisterFlagCompletionFunc("context", s.completeContexts)
	root.AddCommand(
		loginCommand(s), logoutCommand(s), whoamiCommand(s), contextsCommand(s), versionCommand(s), credentialCommand(s),
		appsCommand(s), openCommand(s), configCommand(s), domainsCommand(s), routeCommand(s),
		deployCommand(s), gitCommand(s), buildsCommand(s), imagesCommand(s), releasesCommand(s), rollbackCommand(s),
		psCommand(s), planCommand(s), logsCommand(s), statsCommand(s),
		jobsCommand(s), nodesCommand(s), statusCommand(s), doctorCommand(s), dashboardCommand(s),
	)
	explainUnknown(root)
	return root
}

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: takes(),
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
