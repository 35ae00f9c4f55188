package overview

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// App is how one app is, in fewer queries than a snapshot of all.
func (o *Overview) App(ctx context.Context, app cluster.App) (App, error) {
	v, err := o.cfg.Store.SnapshotOf(ctx, app.ID)
	if err != nil {
		return App{}, err
	}
	if len(v.Apps) == 0 {
		return App{}, cluster.NotFound("app %q does not exist any more (list those that do: aorta apps)", app.Name)
	}
	if v.Nodes, err = o.cfg.Store.Nodes(ctx); err != nil {
		return App{}, err
	}
	return o.app(v.Apps[0], v, o.answers(ctx, v)[app.ID]), nil
}

// app adds up what a snapshot has of an app, and judges it.
func (o *Overview) app(app cluster.App, v store.Snapshot, answers Answers) App {
	instances := withoutLost(v.Instances[app.ID], v.Nodes)
	a := App{
		App: app, Answers: answers, NoRoom: o.cfg.NoRoom(app.ID), NextTry: o.cfg.NextTry(app.ID), Operation: turnOf(app.ID, v.Open),
		Summary: summarize(app, v.Serving[app.ID], v.Asked[app.ID], instances, o.cfg.Now()),
	}
	if !app.Stopped {
		a.InDoubt = inDoubt(v.Serving[app.ID], plan.Want(v.Serving[app.ID], v.Asked[app.ID]), v.Instances[app.ID], v.Nodes)
	}
	a.Verdict = a.judge(slices.ContainsFunc(v.Attention, func(op cluster.Operation) bool {
		return op.AppID == app.ID && op.Kind == cluster.OpDeploy
	}))
	a.Verdict, a.Unheard = o.unheard(a.Verdict, v.Nodes, instances)
	return a
}

// withoutLost leaves out what is on nodes that are dead: it counts as gone, and is
// started elsewhere.
func withoutLost(list []cluster.Instance, nodes []cluster.Node) []cluster.Instance {
	lost := map[cluster.ID]bool{}
	for _, n := range nodes {
		lost[n.ID] = n.Lost()
	}
	return slices.DeleteFunc(slices.Clone(list), func(in cluster.Instance) bool { return lost[in.NodeID] })
}

// unheard is the verdict with what is not known: whether instances on silent nodes
// still run. Where all are there, nobody can say that the app serves.
func (o *Overview) unheard(verdict Verdict, nodes []cluster.Node, instances []cluster.Instance) (now Verdict, all bool) {
	where, heard := o.silentText(nodes, instances)
	switch {
	case where == "" || verdict.Severity == SeverityBad:
		return verdict, false
	case heard == 0:
		return Verdict{verdict.State, SeverityWarn, "may not serve: " + where}, true
	}
	verdict.Text += "; " + where
	return verdict, false
}

// silentText names the silent nodes where instances ran when they were heard last, and
// counts the instances that run on others.
func (o *Overview) silentText(nodes []cluster.Node, instances []cluster.Instance) (text string, heard int) {
	running := map[cluster.ID]int{}
	for _, in := range instances {
		if in.State == cluster.InstanceRunning {
			running[in.NodeID]++
		}
	}
	var parts []string
	for _, n := range nodes {
		switch count := running[n.ID]; {
		case count == 0:
		case o.cfg.Nodes.Unheard(n):
			parts = append(parts, fmt.Sprintf("%d on %s, which is silent", count, n.Name))
		default:
			heard += count
		}
	}
	return strings.Join(parts, ", "), heard
}

// turnOf finds an app's operation whose turn it is: the first that changes what runs,
// else the first deploy, else the first at all; nil without any.
func turnOf(app cluster.ID, open []cluster.Operation) *cluster.Operation {
	var turn *cluster.Operation
	for i, op := range open {
		if op.AppID == app && (turn == nil || urgency(op) > urgency(*turn)) {
			turn = &open[i]
		}
	}
	return turn
}

func urgency(op cluster.Operation) int {
	switch {
	case op.Changing():
		return 2
	case op.Kind.Exclusive():
		return 1
	}
	return 0
}
