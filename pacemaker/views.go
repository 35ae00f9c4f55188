package pacemaker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/plan"
	"aorta/pacemaker/store"
)

// Summary is an app at a glance.
type Summary struct {
	Release string // label of the one that serves, empty before the first
	Running int
	Wanted  int
}

// Summary tells how an app is.
func (p *Pacemaker) Summary(ctx context.Context, app cluster.App) (Summary, error) {
	release, err := p.currentRelease(ctx, app)
	if err != nil || release.ID == "" {
		return Summary{}, err
	}
	s := Summary{Release: release.Label()}
	asked, err := p.store.Formations(ctx, app.ID)
	if err != nil {
		return s, err
	}
	if !app.Stopped {
		for _, n := range plan.Want(release, asked) {
			s.Wanted += n
		}
	}
	list, err := p.store.Instances(ctx, app.ID)
	for _, in := range list {
		if in.State == cluster.InstanceRunning && !in.Crashing {
			s.Running++
		}
	}
	return s, err
}

// InstanceView is an instance with the names of what it belongs to.
type InstanceView struct {
	cluster.Instance
	Release string
	Node    cluster.Node
	Unheard bool
}

// InstanceViews lists an app's instances that are not gone.
func (p *Pacemaker) InstanceViews(ctx context.Context, app cluster.App) ([]InstanceView, error) {
	list, err := p.store.Instances(ctx, app.ID)
	if err != nil {
		return nil, err
	}
	labels := map[cluster.ID]string{}
	nodes := map[cluster.ID]cluster.Node{}
	views := make([]InstanceView, 0, len(list))
	for _, in := range list {
		if _, ok := labels[in.ReleaseID]; !ok {
			r, err := p.store.Release(ctx, in.ReleaseID)
			if err != nil {
				return nil, err
			}
			labels[in.ReleaseID] = r.Label()
		}
		if _, ok := nodes[in.NodeID]; !ok {
			if nodes[in.NodeID], err = p.store.Node(ctx, in.NodeID); err != nil {
				return nil, err
			}
		}
		views = append(views, InstanceView{Instance: in, Release: labels[in.ReleaseID], Node: nodes[in.NodeID], Unheard: p.Unheard(in.NodeID)})
	}
	return views, nil
}

// FindInstance turns what a person calls an instance (its id, its short id,
// web.short) into its id. One that is gone is found by its whole id only.
func (p *Pacemaker) FindInstance(ctx context.Context, app cluster.App, name string) (cluster.ID, error) {
	if id, err := cluster.ParseID(name); err == nil {
		return id, nil
	}
	ids, err := p.liveOf(ctx, app, func(in cluster.Instance) bool {
		return in.ID.Short() == name || instanceName(in) == name
	})
	if err != nil {
		return "", err
	}
	if len(ids) != 1 {
		return "", cluster.NotFound("app %q has no instance %.40q (list them with: aorta ps -a %s)", app.Name, name, app.Name)
	}
	return ids[0], nil
}

// InstancesByNode counts what runs on each node.
func (p *Pacemaker) InstancesByNode(ctx context.Context) (map[cluster.ID]int, error) {
	list, err := p.store.Instances(ctx, "")
	counts := map[cluster.ID]int{}
	for _, in := range list {
		if !in.State.Ended() {
			counts[in.NodeID]++
		}
	}
	return counts, err
}

// RouterGeneration is the generation that a node's router answers by; 0 when
// it has not said so.
func (p *Pacemaker) RouterGeneration(node cluster.ID) uint64 {
	st, _ := p.routers.state(node)
	return st.report.Generation
}

// Tree is an operation's job tree, from the archive once it has ended.
// jobs.ErrNotFound: it waits for its turn.
func (p *Pacemaker) Tree(ctx context.Context, op cluster.Operation) (*jobs.Tree, error) {
	if op.State == cluster.OperationOpen {
		return p.jobs.Tree(ctx, string(op.ID))
	}
	tree, _, err := p.Archived(ctx, op.ID)
	return tree, err
}

// TreeLog is the log of all jobs of an operation, oldest line first.
func (p *Pacemaker) TreeLog(ctx context.Context, op cluster.Operation) ([]ArchivedLine, error) {
	if op.State != cluster.OperationOpen {
		_, lines, err := p.Archived(ctx, op.ID)
		return lines, err
	}
	tree, err := p.jobs.Tree(ctx, string(op.ID))
	if err != nil {
		return []ArchivedLine{}, nil // nothing was logged before its turn
	}
	return p.wholeLog(ctx, tree), nil
}

// Abort ends an open operation: what runs is told to stop, what it started is
// taken down, and the old release serves on.
func (p *Pacemaker) Abort(ctx context.Context, op cluster.Operation, user string) error {
	if op.State != cluster.OperationOpen {
		return cluster.Conflict("job %s has ended already: %s", op.ID.Short(), op.State)
	}
	err := p.jobs.Abort(ctx, string(op.ID), "aborted by "+user)
	if err == nil {
		return nil
	}
	// Without a tree it waits for its turn, and can end here and now.
	if !errors.Is(err, jobs.ErrNotFound) {
		return cluster.Conflict("job %s can't be aborted any more: %s", op.ID.Short(), err)
	}
	end := store.Ending{ID: op.ID, State: cluster.OperationAborted, Error: "aborted by " + user + " before its turn", Tree: emptyTree(op), Log: []byte("[]")}
	if err := p.store.EndOperation(ctx, end); err != nil {
		return err
	}
	p.announce()
	return nil
}

// emptyTree archives an operation that never got its tree.
func emptyTree(op cluster.Operation) []byte {
	root := rootJob(op, jobs.Aborted)
	raw, err := json.Marshal(jobs.Tree{ID: root.ID, State: jobs.Aborted, Jobs: map[string]*jobs.Job{root.ID: root}})
	if err != nil {
		panic(fmt.Sprintf("encode an empty tree: %v", err)) // strings only: it can't fail
	}
	return raw
}

// CreateNode makes a node's identity; its token is shown this once.
func (p *Pacemaker) CreateNode(ctx context.Context, name string, roles []cluster.Role, user string) (cluster.Node, string, error) {
	if err := cluster.ValidateNodeName("name", name); err != nil {
		return cluster.Node{}, "", err
	}
	node := cluster.Node{ID: cluster.NewID(), Name: name, Roles: roles}
	token := cluster.NodeToken(node.ID, rand.Text())
	return node, token, p.store.CreateNode(ctx, node, store.HashToken(token), user)
}
