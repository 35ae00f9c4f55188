package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aorta/internal/size"
	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// typeFlags are what a person types to change a process type.
type typeFlags struct {
	cmd             *cobra.Command
	memory, cpus    string
	require, prefer []string
}

func psTypeCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "type TYPE [--memory 256m] [--cpus 0.5] [--require TAG]", Short: "Set limits of a process type, and where it runs", Args: takes("TYPE"),
		Long:    "type sets the limits of a process type and the tags of nodes that it runs on.\nWhat is set by hand stays whatever aorta.yml says; an empty value takes it back.",
		Example: "  aorta ps type web --memory 256m --cpus 0.5 -a shop\n  aorta ps type web --require ssd --prefer region=eu -a shop\n  aorta ps type web --memory '' -a shop    # as aorta.yml says", ValidArgsFunction: once(s.completeTypes()),
	}
	flags := newTypeFlags(cmd)
	cmd.RunE = s.onApp(func(ctx context.Context, api *client.Client, app string, args []string) error {
		change, err := flags.change(args[0])
		if err != nil {
			return err
		}
		return s.changeFormation(ctx, api, app, wire.FormationChange{Types: map[string]wire.ProcessChange{args[0]: change}})
	})
	return startsWork(s, cmd)
}

func newTypeFlags(cmd *cobra.Command) *typeFlags {
	f := &typeFlags{cmd: cmd}
	cmd.Flags().StringVar(&f.memory, "memory", "", "memory limit of each instance, such as 256m or 1g; '' for the source's")
	cmd.Flags().StringVar(&f.cpus, "cpus", "", "CPU limit of each instance in cores, such as 0.5; '' for the source's")
	cmd.Flags().StringSliceVar(&f.require, "require", nil, "tags that a node must have, such as ssd or disk=ssd,rack=r7; '' for the source's")
	cmd.Flags().StringSliceVar(&f.prefer, "prefer", nil, "tags of nodes that are taken first, such as region=eu; '' for the source's")
	return f
}

// change is what they ask of a process type.
func (f *typeFlags) change(kind string) (change wire.ProcessChange, err error) {
	given := f.cmd.Flags().Changed
	if given("memory") {
		err = setMemory(&change, f.memory)
	}
	if err == nil && given("cpus") {
		err = setCPUs(&change, f.cpus)
	}
	if err == nil && given("require") {
		change.Require, err = setTags(&change, "require", f.require)
	}
	if err == nil && given("prefer") {
		change.Prefer, err = setTags(&change, "prefer", f.prefer)
	}
	if err != nil {
		return change, err
	}
	if !given("memory") && !given("cpus") && !given("require") && !given("prefer") {
		kind, _, sized := strings.Cut(kind, "=")
		if sized {
			return change, usagef("there are no sizes by name; say how much each instance gets: aorta ps type %s --memory 1g --cpus 1", clean(kind))
		}
		return change, usagef("nothing to change; give --memory, --cpus, --require or --prefer: aorta ps type %s --memory 1g", clean(kind))
	}
	if err := cluster.ValidateName("type", kind); err != nil {
		return change, err
	}
	return change, limitsOf(change).Validate(kind)
}

func limitsOf(change wire.ProcessChange) (l cluster.Limits) {
	if change.Memory != nil {
		l.Memory = *change.Memory
	}
	if change.CPUs != nil {
		l.CPUs = *change.CPUs
	}
	return l
}

func setMemory(change *wire.ProcessChange, text string) error {
	if text == "" {
		change.Reset = append(change.Reset, "memory")
		return nil
	}
	n, err := bytesOf(text)
	change.Memory = &n
	return err
}

func setCPUs(change *wire.ProcessChange, text string) error {
	if text == "" {
		change.Reset = append(change.Reset, "cpus")
		return nil
	}
	n, ok := size.Cores(text)
	if !ok || n == 0 {
		return usagef("--cpus takes a number of cores above 0, such as 0.5 or 500m, and not %q", clean(text))
	}
	change.CPUs = &n
	return nil
}

func setTags(change *wire.ProcessChange, flag string, list []string) ([]string, error) {
	if len(list) == 0 {
		change.Reset = append(change.Reset, flag)
	}
	tags, err := cluster.ParseTags("--"+flag, list)
	return cluster.TagTexts(tags), err
}

func (s *session) showFormation(ctx context.Context, api *client.Client, app string) error {
	f, err := api.Formation(ctx, app)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, f.Processes)
	}
	t := s.out.newTable("TYPE", "QUANTITY", "MEMORY", "CPUS", "COMMAND")
	byHand := false
	for _, p := range f.Processes {
		cell := func(part, value string) string {
			if slices.Contains(p.Set, part) {
				byHand = true
				return value + "*"
			}
			return value
		}
		t.row(p.Type, cell("quantity", strconv.Itoa(p.Quantity)), cell("memory", cluster.Bytes(p.Memory)), cell("cpus", fmt.Sprintf("%g", p.CPUs)),
			orText(p.Command, "(default of the image)"))
		t.note(nodesWanted(p.Require, p.Prefer, cell))
		if p.Exclusive {
			t.note("exclusive: no two instances of it run at once")
		}
		if p.StopWhenCutOff {
			t.note("stop_when_cut_off: it ends where its node does not reach the pacemaker")
		}
	}
	err = t.print(app + " has no process types yet; they come with its first deploy")
	if byHand {
		s.out.line("* set by hand; to have the source's: aorta ps scale TYPE=")
		s.out.line("  aorta ps type TYPE --memory '' --cpus '' --require '' --prefer ''")
	}
	return err
}

// nodesWanted says which nodes a process type runs on; empty for any.
func nodesWanted(require, prefer []string, cell func(part, value string) string) string {
	var text []string
	if len(require) > 0 {
		text = append(text, "on nodes with "+cell("require", strings.Join(require, ", ")))
	}
	if len(prefer) > 0 {
		text = append(text, "rather on nodes with "+cell("prefer", strings.Join(prefer, ", ")))
	}
	return strings.Join(text, ", ")
}
