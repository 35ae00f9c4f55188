package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func psCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "ps", Short: "List the app's instances; scale, restart, stop and resize them",
		RunE: s.onApp(s.listInstances),
	}
	scale := &cobra.Command{
		Use: "scale [TYPE=N | TYPE+N | TYPE-N | TYPE=]…", Short: "Show the process types, or set how many instances of each run",
		Example: "  aorta ps scale web=3 worker=1 -a shop\n  aorta ps scale web= -a shop    # as many as aorta.yml says", ValidArgsFunction: beginning(s.completeTypes()),
		RunE: s.onApp(s.scale),
	}
	restart := &cobra.Command{
		Use: "restart [INSTANCE]", Short: "Restart instances without downtime; start a stopped app", Args: takes("[INSTANCE]"),
		Example: "  aorta ps restart -a shop\n  aorta ps restart web.1a2b3c4d -a shop\n  aorta ps restart web -a shop", ValidArgsFunction: once(s.completeInstances()),
		RunE: s.onApp(s.restart),
	}
	stop := &cobra.Command{
		Use: "stop", Short: "Stop the app; aorta ps start starts it again", Args: takes(),
		RunE: s.onApp(s.stop),
	}
	start := &cobra.Command{
		Use: "start", Short: "Start a stopped app again", Args: takes(),
		RunE: s.onApp(s.start),
	}
	cmd.AddCommand(startsWork(s, scale), startsWork(s, restart), startsWork(s, start), startsWork(s, stop), psTypeCommand(s))
	return cmd
}

func (s *session) listInstances(ctx context.Context, api *client.Client, app string, _ []string) error {
	instances, err := api.Instances(ctx, app)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, instances)
	}
	t := s.out.newTable("INSTANCE", "RELEASE", "NODE", "ADDRESS", "STATE", "CPU", "MEMORY", "STARTED", "RESTARTS").onlyWide("ADDRESS", "CPU", "RESTARTS")
	for _, i := range instances {
		is, cause, _ := strings.Cut(i.Verdict, ": ")
		state := state{is: is, about: cause}
		if cause != "" {
			state.joint = ": "
		}
		t.row(instanceName(i.Type, i.ID), i.Release, i.Node, orText(i.Address, "-"), state.cell(s),
			shareOf(i.CPU, i.CPUs), shareOf(i.Memory, float64(i.MemoryLimit)),
			orText(ageOf(s.p.Now(), i.StartedAt), "-"), strconv.Itoa(i.Restarts))
		t.note(state.note(s))
	}
	return t.print(app + " has no instances; deploy it: aorta deploy -a " + app + ", or start it: aorta ps start -a " + app)
}

// shareOf is what an instance uses of a limit.
func shareOf[N int64 | float64](used *N, limit float64) string {
	if used == nil || limit <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(*used)/limit)
}

// instanceName is what people call an instance: web.1a2b3c4d.
func instanceName(kind, id string) string { return kind + "." + cluster.ID(id).Short() }

// findInstance resolves an id, a short id or a name such as web.1a2b3c4d.
func (s *session) findInstance(ctx context.Context, api *client.Client, app, name string) (string, error) {
	if _, err := cluster.ParseID(name); err == nil {
		return name, nil
	}
	instances, err := api.Instances(ctx, app)
	if err != nil {
		return "", err
	}
	found := ""
	for _, i := range instances {
		if instanceName(i.Type, i.ID) != name && cluster.ID(i.ID).Short() != name {
			continue
		}
		if found != "" {
			return "", usagef("%q matches more than one instance of %s; give the full id (list them: aorta ps --json)", clean(name), app)
		}
		found = i.ID
	}
	if found == "" {
		return "", cluster.NotFound("%s has no instance %q (list them: aorta ps -a %s)", app, clean(name), app)
	}
	return found, nil
}

func (s *session) changeFormation(ctx context.Context, api *client.Client, app string, change wire.FormationChange) error {
	work, err := api.ChangeFormation(ctx, app, change)
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() {
		s.err.line("updated %s", app)
		if _, web := change.Types[cluster.WebType]; web {
			s.warnOfNoWeb(ctx, api, app)
		}
	})
}

// warnOfNoWeb says what it means that no instance of web is wanted.
func (s *session) warnOfNoWeb(ctx context.Context, api *client.Client, app string) {
	a, err := api.App(ctx, app)
	if err != nil || a.URL == "" || a.Stopped || a.State != "running" && a.State != "stopped" {
		return
	}
	s.err.line("%s answers 503 now, since web is scaled to 0; to serve again: aorta ps scale web=1 -a %s", clean(a.URL), app)
}

func (s *session) restart(ctx context.Context, api *client.Client, app string, args []string) error {
	var which wire.Restart
	if len(args) > 0 {
		var err error
		if which.Instance, err = s.toRestart(ctx, api, app, args[0]); err != nil {
			return err
		}
	}
	work, err := api.Restart(ctx, app, which)
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() { s.err.line("restarted %s", app) })
}

// toRestart is an instance, or a process type that has some.
func (s *session) toRestart(ctx context.Context, api *client.Client, app, name string) (string, error) {
	id, err := s.findInstance(ctx, api, app, name)
	if cluster.CodeOf(err) != cluster.CodeNotFound {
		return id, err
	}
	instances, ierr := api.Instances(ctx, app)
	if ierr != nil {
		return "", ierr
	}
	if slices.ContainsFunc(instances, func(i wire.Instance) bool { return i.Type == name }) {
		return name, nil
	}
	return "", err
}

// start starts a stopped app as a restart does, and leaves one that runs alone.
func (s *session) start(ctx context.Context, api *client.Client, app string, _ []string) error {
	a, err := api.App(ctx, app)
	if err != nil {
		return err
	}
	if !a.Stopped {
		s.err.line("%s is not stopped; to replace its instances by new ones: aorta ps restart -a %s", app, app)
		return nil
	}
	work, err := api.Restart(ctx, app, wire.Restart{})
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() { s.err.line("started %s", app) })
}

func (s *session) stop(ctx context.Context, api *client.Client, app string, _ []string) error {
	work, err := api.Stop(ctx, app)
	if err != nil {
		return err
	}
	return s.follow(ctx, api, work, func() { s.err.line("stopped %s; start it again: aorta ps start -a %s", app, app) })
}
