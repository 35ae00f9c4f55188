package main

import (
	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client/contexts"
)

// shownContext is a context as it is printed, without its token.
type shownContext struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Current bool   `json:"current"`
}

func contextsCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "contexts", Short: "List the clusters you are logged in to",
		RunE: func(*cobra.Command, []string) error { return s.listContexts() },
	}
	cmd.AddCommand(&cobra.Command{
		Use: "use NAME", Short: "Switch to another context", Args: cobra.ExactArgs(1),
		ValidArgsFunction: s.completeContexts,
		RunE:              func(_ *cobra.Command, args []string) error { return s.useContext(args[0]) },
	})
	return cmd
}

func (s *session) listContexts() error {
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		return err
	}
	file, err := contexts.Load(path)
	if err != nil {
		return err
	}
	var shown []shownContext
	t := s.out.newTable("", "NAME", "URL")
	for _, name := range file.Names() {
		c := shownContext{Name: name, URL: file.Contexts[name].URL, Current: name == file.Current}
		shown = append(shown, c)
		mark := " "
		if c.Current {
			mark = "*"
		}
		t.row(mark, c.Name, c.URL)
	}
	if s.flags.json {
		return list(s.out, shown)
	}
	return t.print("no contexts yet; log in: aorta login URL --token -")
}

func (s *session) useContext(name string) error {
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		return err
	}
	err = contexts.Change(path, func(f *contexts.File) error {
		if _, ok := f.Contexts[name]; !ok {
			return cluster.NotFound("there is no context %q (list them: aorta contexts)", clean(name))
		}
		f.Current = name
		return nil
	})
	if err == nil {
		s.err.line("switched to context %s", clean(name))
	}
	return err
}
