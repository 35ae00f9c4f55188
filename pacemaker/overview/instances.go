package overview

import (
	"context"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
)

// Instance is an instance with the names of what it belongs to.
type Instance struct {
	cluster.Instance
	Release string
	Node    cluster.Node
	Unheard bool
	// Limits are what it may use. Memory and CPU are what it uses, in bytes and
	// cores; nil when that is not known, as of one on a node that is silent.
	Limits  cluster.Limits
	Memory  *int64
	CPU     *float64
	Crashes bool   // see cluster.Instance.Troubled
	Text    string // how it is
}

// Instances lists an app's instances that are not gone.
func (o *Overview) Instances(ctx context.Context, app cluster.App) ([]Instance, error) {
	list, err := o.cfg.Store.Instances(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	asked, err := o.cfg.Store.Formations(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	releases := map[cluster.ID]cluster.Release{}
	nodes := map[cluster.ID]cluster.Node{}
	views := make([]Instance, 0, len(list))
	for _, in := range list {
		if _, ok := releases[in.ReleaseID]; !ok {
			if releases[in.ReleaseID], err = o.cfg.Store.Release(ctx, in.ReleaseID); err != nil {
				return nil, err
			}
		}
		if _, ok := nodes[in.NodeID]; !ok {
			if nodes[in.NodeID], err = o.cfg.Store.Node(ctx, in.NodeID); err != nil {
				return nil, err
			}
		}
		release := releases[in.ReleaseID]
		process, _ := release.Process(in.Type)
		v := Instance{Instance: in, Release: release.Label(), Node: nodes[in.NodeID], Limits: plan.Limits(process, asked).OrDefault()}
		o.observe(&v)
		v.Crashes = in.Troubled(o.cfg.Now())
		v.Text = v.text()
		views = append(views, v)
	}
	return views, nil
}

// observe adds what the instance's node says of it.
func (o *Overview) observe(v *Instance) {
	if v.Unheard = o.cfg.Nodes.Unheard(v.Node); v.Unheard {
		return
	}
	memory, cpu := o.cfg.Nodes.Usage(v.Instance)
	if v.CPU = cpu; memory > 0 {
		v.Memory = &memory
	}
}

// text is the state in words: with what ended it where that is not long ago, and
// what is to be known of its node.
func (in Instance) text() string {
	text := string(in.State)
	switch {
	case in.Crashes:
		text = crashText(in.Instance)
	case in.ComesBack():
		text = "starting again: " + firstLine(in.Error)
	case in.Error == "":
	case in.State == cluster.InstanceRunning:
		text += ", restarted after: " + firstLine(in.Error)
	default:
		text += ": " + firstLine(in.Error)
	}
	switch {
	case in.Node.Lost():
		text += ", node dead"
	case in.Unheard:
		text += ", node silent"
	}
	return text
}

// FindInstance turns what a person calls an instance (its id, its short id,
// web.short) into its id. One that is gone is found by its whole id only.
func (o *Overview) FindInstance(ctx context.Context, app cluster.App, name string) (cluster.ID, error) {
	if id, err := cluster.ParseID(name); err == nil {
		return id, nil
	}
	list, err := o.cfg.Store.Instances(ctx, app.ID)
	if err != nil {
		return "", err
	}
	var ids []cluster.ID
	for _, in := range list {
		if in.IsCalled(name) {
			ids = append(ids, in.ID)
		}
	}
	if len(ids) != 1 {
		return "", cluster.NotFound("app %q has no instance %.40q (list them with: aorta ps -a %s)", app.Name, name, app.Name)
	}
	return ids[0], nil
}
