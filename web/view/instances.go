package view

import (
	"context"
	"net"
	"strconv"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/overview"
	"aorta/web/wire"
)

// Instance is an instance and where it is reached.
func Instance(app cluster.App, v overview.Instance) wire.Instance {
	w := wire.Instance{
		ID: string(v.ID), App: app.Name, Release: v.Release, Type: v.Type, Node: v.Node.Name, State: string(v.State),
		Verdict: v.Text, Crashing: v.Crashes, Unheard: v.Unheard, Restarts: v.Restarts, Error: v.Error, CreatedAt: v.CreatedAt, StartedAt: v.StartedAt,
		CPU: v.CPU, CPUs: v.Limits.CPUs, Memory: v.Memory, MemoryLimit: v.Limits.Memory,
	}
	if at := v.PublishedAt(v.Node.Address); v.Port != 0 && at != "" {
		w.Address = net.JoinHostPort(at, strconv.Itoa(v.Port))
	}
	return w
}

// Formation is the process types of an app.
func (v *Views) Formation(ctx context.Context, app cluster.App) (wire.Formation, error) {
	list, err := v.pace.Formation(ctx, app)
	if err != nil {
		return wire.Formation{}, err
	}
	out := wire.Formation{Processes: []wire.Process{}}
	for _, p := range list {
		out.Processes = append(out.Processes, wire.Process{
			Type: p.Process.Name, Command: p.Process.Command, Quantity: p.Quantity, Memory: p.Limits.Memory, CPUs: p.Limits.CPUs,
			Require: texts(p.Tags.Require), Prefer: texts(p.Tags.Prefer), Set: p.Set.Names(), Exclusive: p.Process.Exclusive, StopWhenCutOff: p.Process.StopWhenCutOff,
		})
	}
	return out, nil
}

// texts are tags as people type them, and never null.
func texts(tags []cluster.Tag) []string { return append([]string{}, cluster.TagTexts(tags)...) }
