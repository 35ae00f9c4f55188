package pacemaker

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
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

// AppGlance is one app at a glance.
type AppGlance struct {
	cluster.App
	State     AppState
	Release   string // label of the one that serves, empty before the first
	Running   int
	Wanted    int
	Missing   int                // of its process types, added up
	Crashing  []cluster.Instance // that run and end again and again
	Operation *cluster.Operation // whose turn it is
}

// NodeGlance is one node at a glance.
type NodeGlance struct {
	cluster.Node
	Instances int
	Unheard   bool
	Score     *float64   // nil until it was heard by this pacemaker
	HeardAt   *time.Time // the same
	// RouterSilent says that it has a router, and that this says nothing.
	RouterSilent bool
	Unknown      []cluster.ID // instances on it that no app has
}

// Joined says that the node has spoken up at least once: one whose token was
// not used yet is no trouble.
func (n NodeGlance) Joined() bool { return n.Address != "" }

// Glance is the cluster as it is.
type Glance struct {
	Apps       []AppGlance  // by name
	Nodes      []NodeGlance // by name
	Open       []cluster.Operation
	Attention  []cluster.Operation // newest first, at most store.AttentionLimit
	LastChange time.Time           // when the newest running instance came to run
}

// Glance reads the whole cluster, in a handful of queries.
func (p *Pacemaker) Glance(ctx context.Context) (Glance, error) {
	v, err := p.store.Survey(ctx)
	if err != nil {
		return Glance{}, err
	}
	g := Glance{Open: v.Open, Attention: v.Attention, LastChange: p.started}
	failed := map[cluster.ID]bool{}
	for _, op := range v.Attention {
		failed[op.AppID] = failed[op.AppID] || op.Kind == cluster.OpDeploy
	}
	turns := turnsOf(v.Open)
	for _, app := range v.Apps {
		g.Apps = append(g.Apps, glanceOf(app, v, turns[app.ID], failed[app.ID]))
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
		g.Nodes = append(g.Nodes, p.nodeGlance(n, counts[n.ID]))
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

func glanceOf(app cluster.App, v store.Survey, op *cluster.Operation, failed bool) AppGlance {
	g := AppGlance{App: app, Operation: op}
	running := map[string]int{}
	for _, in := range v.Instances[app.ID] {
		if in.Crashing && !in.State.Ended() {
			g.Crashing = append(g.Crashing, in)
		}
		if in.State == cluster.InstanceRunning && !in.Crashing {
			running[in.Type]++
			g.Running++
		}
	}
	release, serves := v.Serving[app.ID]
	want := map[string]int{}
	if serves {
		g.Release = release.Label()
		want = plan.Want(release, v.Asked[app.ID])
	}
	for typ, n := range want {
		if !app.Stopped {
			g.Wanted += n
			g.Missing += max(0, n-running[typ])
		}
	}
	// Requests go to web alone: other types that run make it serve nothing.
	down := g.Running == 0 || want[cluster.WebType] > 0 && running[cluster.WebType] == 0
	switch rollsOut := op != nil && (op.Kind == cluster.OpDeploy || op.Kind == cluster.OpRelease); {
	case app.Stopped, serves && g.Wanted == 0:
		g.State = AppStopped
	case !serves && rollsOut, down && len(g.Crashing) == 0 && op != nil && op.Kind == cluster.OpScale:
		g.State = AppDeploying
	case !serves && failed, serves && down:
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

func (p *Pacemaker) nodeGlance(n cluster.Node, instances int) NodeGlance {
	g := NodeGlance{Node: n, Instances: instances, Unheard: p.Unheard(n.ID)}
	g.RouterSilent = n.Has(cluster.RoleRouter) && p.routers.silent(n.ID)
	if h, said := p.hearts.heard(n.ID); said {
		at := p.cfg.Now().Add(-h.Ago)
		g.Score, g.HeardAt, g.Unknown = &h.Load.Score, &at, h.Unknown
	}
	return g
}
