package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func routeCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "route", Short: "Show the limits of the app's requests; set them",
		RunE: s.onApp(s.showRoute),
	}
	cmd.AddCommand(setRouteCommand(s))
	return cmd
}

func setRouteCommand(s *session) *cobra.Command {
	var timeout, idle, body string
	cmd := &cobra.Command{
		Use: "set [--timeout 10m] [--idle-timeout 2h] [--max-body 50m]", Args: takes(),
		Example: "  aorta route set --timeout 10m -a shop",
		Short:   "Set limits of requests; an empty value takes one back",
		Long:    "set sets limits of requests. What is set by hand stays whatever aorta.yml says;\nan empty value (--timeout '') takes it back to that, or to the default.",
	}
	f := cmd.Flags()
	f.StringVar(&timeout, "timeout", "", "time until an answer begins, such as 90s or 10m (default 5m)")
	f.StringVar(&idle, "idle-timeout", "", "silence after which a connection in use is closed, such as 2h (default 1h)")
	f.StringVar(&body, "max-body", "", "largest body of a request, such as 50m (default: any size)")
	cmd.RunE = s.onApp(func(ctx context.Context, api *client.Client, app string, _ []string) error {
		var change wire.RouteChange
		var err error
		if f.Changed("timeout") {
			change.Timeout, err = wholeSeconds("timeout", timeout)
		}
		if err == nil && f.Changed("idle-timeout") {
			change.IdleTimeout, err = wholeSeconds("idle-timeout", idle)
		}
		if err == nil && f.Changed("max-body") {
			change.MaxBody, err = sizeOrDefault(body)
		}
		if err != nil {
			return err
		}
		return s.setRoute(ctx, api, app, change)
	})
	return cmd
}

// wholeSeconds parses a time; "" is 0, which restores the default.
func wholeSeconds(flag, text string) (*int64, error) {
	var n int64
	if text == "" {
		return &n, nil
	}
	d, err := duration.Parse(text)
	if err != nil || d < time.Second || d%time.Second != 0 {
		return nil, usagef("--%s %q is not a time of whole seconds (such as 90s or 10m)", flag, clean(text))
	}
	n = int64(d / time.Second)
	return &n, nil
}

func sizeOrDefault(text string) (*int64, error) {
	var n int64
	if text == "" {
		return &n, nil
	}
	n, err := bytesOf(text)
	return &n, err
}

func (s *session) setRoute(ctx context.Context, api *client.Client, app string, change wire.RouteChange) error {
	if change == (wire.RouteChange{}) {
		return usagef("say what to set: --timeout, --idle-timeout or --max-body")
	}
	r, err := api.ChangeRoute(ctx, app, change)
	if err != nil {
		return err
	}
	s.err.line("updated the route of %s", app)
	return s.printRoute(r)
}

func (s *session) showRoute(ctx context.Context, api *client.Client, app string, _ []string) error {
	r, err := api.Route(ctx, app)
	if err != nil {
		return err
	}
	return s.printRoute(r)
}

func (s *session) printRoute(r wire.Route) error {
	if s.flags.json {
		return s.out.json(r)
	}
	body := "any size"
	if r.MaxBody > 0 {
		body = cluster.Bytes(r.MaxBody)
	}
	t := s.out.newTable("LIMIT", "VALUE", "SET BY")
	for _, row := range []struct{ name, field, value string }{
		{"timeout", "timeout", duration.Text(time.Duration(r.Timeout) * time.Second)},
		{"idle timeout", "idle_timeout", duration.Text(time.Duration(r.IdleTimeout) * time.Second)},
		{"max body", "max_body", body},
	} {
		t.row(row.name, row.value, setBy(r, row.field))
	}
	return t.print("")
}

// setBy says where a limit comes from. A long timeout raises the default of
// the idle timeout, and a short idle timeout lowers that of the timeout.
func setBy(r wire.Route, field string) string {
	switch {
	case slices.Contains(r.Set, field) && slices.Contains(r.Source, field):
		return "aorta.yml"
	case slices.Contains(r.Set, field):
		return "hand"
	case field == "idle_timeout" && time.Duration(r.IdleTimeout)*time.Second > cluster.DefaultIdleTimeout:
		return "timeout"
	case field == "timeout" && time.Duration(r.Timeout)*time.Second < cluster.DefaultTimeout:
		return "idle timeout"
	}
	return "default"
}
