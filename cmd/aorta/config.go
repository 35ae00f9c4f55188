package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// maxDotenv bounds a file of config vars, in bytes.
const maxDotenv = 4 << 20

func configCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Show and change the app's config vars",
		RunE: s.onApp(s.showConfig),
	}
	var file string
	set := &cobra.Command{
		Use: "set KEY=VALUE… [--file .env]", Short: "Set config vars, which makes a new release",
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			return s.setConfig(ctx, api, app, configFrom{args: args, file: file})
		}),
	}
	set.Flags().StringVar(&file, "file", "", "file of KEY=VALUE lines, or - for the input")
	unset := &cobra.Command{
		Use: "unset KEY…", Short: "Remove config vars, which makes a new release", Args: cobra.MinimumNArgs(1),
		RunE: s.onApp(s.unsetConfig),
	}
	get := &cobra.Command{
		Use: "get KEY", Short: "Print one config var", Args: cobra.ExactArgs(1),
		RunE: s.onApp(s.getConfig),
	}
	cmd.AddCommand(startsWork(s, set), startsWork(s, unset), get)
	return cmd
}

func (s *session) showConfig(ctx context.Context, api *client.Client, app string, _ []string) error {
	cfg, err := api.Config(ctx, app)
	if err != nil {
		return err
	}
	if s.flags.json {
		if cfg.Vars == nil {
			cfg.Vars = map[string]string{}
		}
		return s.out.json(cfg.Vars)
	}
	for _, k := range slices.Sorted(maps.Keys(cfg.Vars)) {
		s.out.line("%s=%s", clean(k), quoteVar(cfg.Vars[k]))
	}
	return nil
}

func (s *session) getConfig(ctx context.Context, api *client.Client, app string, args []string) error {
	cfg, err := api.Config(ctx, app)
	if err != nil {
		return err
	}
	v, ok := cfg.Vars[args[0]]
	switch {
	case !ok:
		return cluster.NotFound("%s has no config var %q (those it has: aorta config -a %s)", app, clean(args[0]), app)
	case s.flags.json:
		return s.out.json(map[string]string{args[0]: v})
	case s.out.terminal:
		v = cleanBlock(v)
	}
	s.out.line("%s", v)
	return nil
}

// configFrom is where the vars to set come from; an argument goes before the
// file.
type configFrom struct {
	args []string
	file string
}

func (s *session) setConfig(ctx context.Context, api *client.Client, app string, from configFrom) error {
	vars := map[string]string{}
	if from.file != "" {
		if err := s.readDotenv(from.file, vars); err != nil {
			return err
		}
	}
	for _, a := range from.args {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			return usagef("%q is not of the form KEY=VALUE", clean(a))
		}
		vars[k] = v
	}
	if len(vars) == 0 {
		return usagef("nothing to set; name it as KEY=VALUE, or give a file: --file .env")
	}
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		if err := cluster.ValidateConfigKey("", k); err != nil {
			return err
		}
		if err := cluster.ValidateConfigValue(k, vars[k]); err != nil {
			return err
		}
	}
	return s.changeConfig(ctx, api, app, wire.ConfigChange{Set: vars})
}

func (s *session) readDotenv(name string, vars map[string]string) error {
	in := s.in
	if name != "-" {
		f, err := os.Open(s.path(name))
		if err != nil {
			return usagef("read config vars: %w", err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDotenv+1))
	switch {
	case err != nil:
		return fmt.Errorf("read config vars: %w", err)
	case len(raw) > maxDotenv:
		return usagef("%s is longer than %d bytes", name, maxDotenv)
	}
	parsed, err := parseDotenv(string(raw))
	if err != nil {
		return usagef("%s: %w", name, err)
	}
	maps.Copy(vars, parsed)
	return nil
}

func (s *session) unsetConfig(ctx context.Context, api *client.Client, app string, args []string) error {
	return s.changeConfig(ctx, api, app, wire.ConfigChange{Unset: args})
}

func (s *session) changeConfig(ctx context.Context, api *client.Client, app string, change wire.ConfigChange) error {
	work, err := api.ChangeConfig(ctx, app, change)
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() { s.err.line("the config of %s is changed", app) })
}
