package access

import (
	"context"

	"aorta/pacemaker/cluster"
)

// Kind is what kind of thing an operation is on.
type Kind string

// The kinds of subjects.
const (
	OnApp       Kind = "app"       // the app that the path names, or the app of the job that it names
	OnWorkspace Kind = "workspace" // all of its apps, and new ones
	OnCluster   Kind = "cluster"   // what belongs to no workspace
	OnNode      Kind = "node"      // the node that the path names
	OnSelf      Kind = "self"      // what is the caller's own
)

// Subject is what one request is on. It holds what its path names.
type Subject struct {
	Kind      Kind
	App       cluster.App       // of OnApp; of an app that is gone, its id alone
	Operation cluster.Operation // of OnApp, when the path names a job
	Node      cluster.Node      // of OnNode
}

// Bound is the input of an operation that takes its subject.
type Bound interface{ Bind(s Subject) }

// AppPath is the path of an operation on one app. Types that are embedded in a
// request are exported: the framework passes over the fields of others.
type AppPath struct {
	AppName string `path:"app" maxLength:"64" doc:"the app's name"`
	app     cluster.App
}

// Bind is part of Bound.
func (p *AppPath) Bind(s Subject) { p.app = s.App }

// App is the app that the path names.
func (p *AppPath) App() cluster.App { return p.app }

// JobPath is the path of an operation on one job tree.
type JobPath struct {
	JobID     string `path:"id" maxLength:"40"`
	operation cluster.Operation
}

// Bind is part of Bound.
func (p *JobPath) Bind(s Subject) { p.operation = s.Operation }

// Operation is what the job tree does.
func (p *JobPath) Operation() cluster.Operation { return p.operation }

// NodePath is the path of an operation on one node.
type NodePath struct {
	NodeName string `path:"node" maxLength:"64"`
	node     cluster.Node
}

// Bind is part of Bound.
func (p *NodePath) Bind(s Subject) { p.node = s.Node }

// Node is the node that the path names.
func (p *NodePath) Node() cluster.Node { return p.node }

type contextKey struct{}

type resolved struct {
	subject Subject
	err     error
}

// WithSubject keeps a request's subject, or why there is none, for its
// operation.
func WithSubject(ctx context.Context, s Subject, err error) context.Context {
	return context.WithValue(ctx, contextKey{}, resolved{s, err})
}

// SubjectOf is what WithSubject kept.
func SubjectOf(ctx context.Context) (Subject, error) {
	r, _ := ctx.Value(contextKey{}).(resolved)
	return r.subject, r.err
}
