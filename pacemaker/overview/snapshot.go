// Package overview shows the cluster as it is: apps and nodes in numbers, what is
// wrong with the next step for it, and the state of the whole in one word. It
// only reads.
package overview

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// AppState is how an app is, in one word.
type AppState string

// The states of an app.
const (
	AppServing   AppState = "serving"
	AppDeploying AppState = "deploying"
	AppStopped   AppState = "stopped" // nothing of it is wanted
	AppFailed    AppState = "failed"  // it should serve and does not, or its first deploy failed
	AppEmpty     AppState = "empty"   // it was never deployed
)

// App is one app as it is.
type App struct {
	cluster.App
	Summary
	State     AppState
	Crashing  []cluster.Instance // that run and end again and again
	NoRoom    []NoRoom
	NextTry   time.Time          // when failing instances are replaced; zero when nothing holds that up
	Operation *cluster.Operation // whose turn it is
}

// NoRoom is what of a process type finds no node.
type NoRoom struct {
	Type   string
	Count  int
	Wanted int    // of the type, in all
	Reason string // of each node
}

// Snapshot is the cluster as it is.
type Snapshot struct {
	Apps       []App  // by name
	Nodes      []Node // by name
	Open       []cluster.Operation
	Attention  []cluster.Operation // newest first, at most store.AttentionLimit
	LastChange time.Time           // when the newest running instance came to run
}

// Snapshot reads the whole cluster, in a handful of queries.
func (o *Overview) Snapshot(ctx context.Context) (Snapshot, error) {
	v, err := o.cfg.Store.Snapshot(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	g := Snapshot{Open: v.Open, Attention: v.Attention, LastChange: o.cfg.Started}
	failed := map[cluster.ID]bool{}
	for _, op := range v.Attention {
		failed[op.AppID] = failed[op.AppID] || op.Kind == cluster.OpDeploy
	}
	turns := turnsOf(v.Open)
	for _, app := range v.Apps {
		a := appOf(app, v, turns[app.ID], failed[app.ID])
		a.NoRoom, a.NextTry = o.cfg.NoRoom(app.ID), o.cfg.NextTry(app.ID)
		g.Apps = append(g.Apps, a)
	}
	counts := map[cluster.ID]int{}
	for _, list := range v.Instances {
		for _, in := range list {
			if !in.State.Ended() {
				counts[in.NodeID]++
			}
			if in.Serves() && in.StartedAt != nil && in.StartedAt.After(g.LastChange) {
				g.LastChange = *in.StartedAt
			}
		}
	}
	for _, n := range v.Nodes {
		g.Nodes = append(g.Nodes, o.node(n, counts[n.ID]))
	}
	return g, nil
}

// turnsOf finds each app's operation whose turn it is: the first exclusive one,
// or without any the first.
func turnsOf(open []cluster.Operation) map[cluster.ID]*cluster.Operation {
	turns := map[cluster.ID]*cluster.Operation{}
	for i, op := range open {
		if have := turns[op.AppID]; have == nil || op.Kind.Exclusive() && !have.Kind.Exclusive() {
			turns[op.AppID] = &open[i]
		}
	}
	return turns
}

func appOf(app cluster.App, v store.Snapshot, op *cluster.Operation, failed bool) App {
	release, serves := v.Serving[app.ID]
	g := App{App: app, Operation: op, Summary: summarize(app, release, v.Asked[app.ID], v.Instances[app.ID])}
	for _, in := range v.Instances[app.ID] {
		if in.Crashing && !in.State.Ended() {
			g.Crashing = append(g.Crashing, in)
		}
	}
	switch rollsOut := op != nil && (op.Kind == cluster.OpDeploy || op.Kind == cluster.OpRelease); {
	case app.Stopped, serves && g.Wanted == 0:
		g.State = AppStopped
	case !serves && rollsOut, g.down && len(g.Crashing) == 0 && op != nil && op.Kind == cluster.OpScale:
		g.State = AppDeploying
	case !serves && failed, serves && g.down:
		g.State = AppFailed
	case !serves:
		g.State = AppEmpty
	case rollsOut:
		g.State = AppDeploying
	default:
		g.State = AppServing
	}
	return g
}
