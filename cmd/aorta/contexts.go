package main

import (
	"strings"

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
		Use: "contexts", Short: "List the clusters you are logged in to; switch between them",
		RunE: func(*cobra.Command, []string) error { return s.listContexts() },
	}
	cmd.AddCommand(&cobra.Command{
		Use: "use NAME", Short: "Switch to another context", Args: takes("NAME"),
		Example:           "  aorta contexts use local",
		ValidArgsFunction: once(s.completeContexts),
		RunE:              func(_ *cobra.Command, args []string) error { return s.useContext(args[0]) },
	}, &cobra.Command{
		Use: "remove NAME", Short: "Forget a context with its token", Args: takes("NAME"),
		Example:           "  aorta contexts remove local",
		ValidArgsFunction: once(s.completeContexts),
		RunE:              func(_ *cobra.Command, args []string) error { return s.removeContext(args[0]) },
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
			return noContext(name)
		}
		f.Current = name
		return nil
	})
	if err == nil {
		s.err.line("switched to context %s", clean(name))
	}
	return err
}

func noContext(name string) error {
	return cluster.NotFound("there is no context %q (list them: aorta contexts)", clean(name))
}

// removeContext forgets a context; the current one if the name is empty.
func (s *session) removeContext(name string) error {
	path, err := contexts.Path(s.p.Getenv)
	if err != nil {
		return err
	}
	var left contexts.File
	err = contexts.Change(path, func(f *contexts.File) error {
		if name == "" {
			name = f.Current
		}
		if _, ok := f.Contexts[name]; !ok {
			return noContext(name)
		}
		delete(f.Contexts, name)
		if f.Current == name {
			f.Current = ""
		}
		left = *f
		return nil
	})
	if err != nil {
		return err
	}
	s.err.line("removed context %s from %s", clean(name), path)
	if left.Current == "" && len(left.Contexts) > 0 {
		s.err.line("%s", noneCurrent(left))
	}
	return nil
}

// noneCurrent says how to go on when no context is the current one.
func noneCurrent(file contexts.File) string {
	return "no context is current; choose one: aorta contexts use " + clean(strings.Join(file.Names(), ", or "))
}
