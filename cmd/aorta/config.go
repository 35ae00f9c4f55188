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

	"aorta/internal/dotenv"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func configCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Show the app's config vars; set and unset them",
		RunE: s.onApp(s.showConfig),
	}
	var file string
	set := &cobra.Command{
		Use: "set KEY=VALUE… [--file .env]", Short: "Set config vars and deploy a new release with them",
		Example: "  aorta config set GREETING=hello -a shop", ValidArgsFunction: beginning(s.completeConfigKeys()),
		RunE: s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
			return s.setConfig(ctx, api, app, configFrom{args: args, file: file})
		}),
	}
	set.Flags().StringVar(&file, "file", "", "file of KEY=VALUE lines, or - for stdin")
	unset := &cobra.Command{
		Use: "unset KEY…", Short: "Remove config vars and deploy a new release without them", Args: takes("KEY…"),
		Example: "  aorta config unset GREETING -a shop", ValidArgsFunction: s.completeConfigKeys(),
		RunE: s.onApp(s.unsetConfig),
	}
	get := &cobra.Command{
		Use: "get KEY", Short: "Print one config var", Args: takes("KEY"),
		Example: "  aorta config get GREETING -a shop", ValidArgsFunction: once(s.completeConfigKeys()),
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
	if len(cfg.Vars) == 0 {
		s.err.line("%s has no config vars; set one: aorta config set KEY=VALUE -a %s", app, app)
	}
	for _, k := range slices.Sorted(maps.Keys(cfg.Vars)) {
		line := clean(k) + "=" + quoteVar(cfg.Vars[k])
		if s.out.terminal && s.out.width > 0 { // elsewhere it is data: aorta config >.env
			line = cut(line, s.out.width)
		}
		s.out.line("%s", line)
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
		return cluster.NotFound("%s has no config var %q (list them: aorta config -a %s)", app, clean(args[0]), app)
	case s.flags.json:
		return s.out.json(map[string]string{args[0]: v})
	case s.out.terminal:
		v = cleanBlock(v)
	}
	s.out.line("%s", v)
	return nil
}

// configFrom has the vars to set; arguments override the file.
type configFrom struct {
	args []string
	file string
}

// readVars reads both; it is an error that nothing is there.
func (s *session) readVars(from configFrom) (map[string]string, error) {
	vars := map[string]string{}
	if from.file != "" {
		if err := s.readDotenv(from.file, vars); err != nil {
			return nil, err
		}
	}
	for _, a := range from.args {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			return nil, usagef("%q is not of the form KEY=VALUE%s", clean(a), pairOf(from.args))
		}
		vars[k] = v
	}
	if len(vars) == 0 {
		return nil, usagef("nothing to set; give KEY=VALUE or a file: --file .env")
	}
	return vars, nil
}

// pairOf is what somebody means who leaves a space in the place of the equals sign.
func pairOf(args []string) string {
	if len(args) != 2 || cluster.ValidateConfigKey("", args[0]) != nil || strings.Contains(args[1], "=") {
		return ""
	}
	return "; perhaps: aorta config set " + clean(args[0]) + "=" + clean(quoteVar(args[1]))
}

func (s *session) setConfig(ctx context.Context, api *client.Client, app string, from configFrom) error {
	vars, err := s.readVars(from)
	if err != nil {
		return err
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
	raw, err := io.ReadAll(io.LimitReader(in, dotenv.MaxSize+1))
	switch {
	case err != nil:
		return fmt.Errorf("read config vars: %w", err)
	case len(raw) > dotenv.MaxSize:
		return usagef("%s is longer than %d bytes", name, dotenv.MaxSize)
	}
	parsed, err := dotenv.Parse(string(raw))
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
	return s.follow(ctx, api, work, func() { s.err.line("updated the config of %s", app) })
}
