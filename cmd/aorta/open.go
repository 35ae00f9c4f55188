package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
)

func openCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "open", Short: "Print the app's URL and open it in a browser, if there is one", Args: takes(),
		RunE: s.onApp(s.openApp),
	}
}

func (s *session) openApp(ctx context.Context, api *client.Client, app string, _ []string) error {
	a, err := api.App(ctx, app)
	if err != nil {
		return err
	}
	if a.URL == "" {
		return cluster.NotFound("%s has no URL: no release of it has a web process (deploy one: git push aorta main)", app)
	}
	if s.flags.json {
		return s.out.json(map[string]string{"url": a.URL})
	}
	s.out.line("%s", clean(a.URL))
	if !s.out.terminal {
		return nil
	}
	if err := s.p.Browse(ctx, a.URL); err != nil && !errors.Is(err, errNoBrowser) {
		s.err.line("the browser can't be opened: %s", cleanBlock(err.Error()))
	}
	return nil
}

var errNoBrowser = errors.New("no desktop")

// browse opens an address in the browser of the desktop.
func browse(ctx context.Context, url string) error {
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errNoBrowser
	}
	return exec.CommandContext(ctx, name, url).Run()
}
