package main

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"aorta/web/client"
)

func dashboardCommand(s *session) *cobra.Command {
	onlyPrint := false
	cmd := &cobra.Command{
		Use: "dashboard", Short: "Open the dashboard in a browser, signed in", Args: takes(),
		Long: "dashboard opens the cluster's dashboard, or with -a the page of an app, by a\n" +
			"link that signs in as you, once, within two minutes. Without a desktop, or off\n" +
			"a terminal, it prints that link.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := s.client(cmd.Context())
			if err != nil {
				return err
			}
			return s.openDashboard(cmd.Context(), api, onlyPrint)
		},
	}
	cmd.Flags().BoolVar(&onlyPrint, "print", false, "print the link, open nothing")
	return cmd
}

func (s *session) openDashboard(ctx context.Context, api *client.Client, onlyPrint bool) error {
	made, err := api.SignInLink(ctx)
	if err != nil {
		return err
	}
	link := api.URL() + made.Path
	if s.flags.app != "" {
		link += "?next=" + url.QueryEscape("/apps/"+url.PathEscape(s.flags.app))
	}
	if s.flags.json {
		return s.out.json(map[string]string{"url": link, "expires_at": made.ExpiresAt.Format(time.RFC3339)})
	}
	if onlyPrint || !s.out.terminal {
		s.out.line("%s", clean(link))
		return nil
	}
	switch err := s.p.Browse(ctx, link); {
	case err == nil:
		s.err.line("opened the dashboard of %s in the browser", clean(api.URL()))
		return nil
	case !errors.Is(err, errNoBrowser):
		s.err.line("the browser can't be opened: %s", cleanBlock(err.Error()))
	}
	s.err.line("open this link in a browser; it signs in once, within two minutes:")
	s.out.line("%s", clean(link))
	return nil
}
