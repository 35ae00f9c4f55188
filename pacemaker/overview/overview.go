package overview

import (
	"context"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/nodes"
	"aorta/pacemaker/routing"
	"aorta/pacemaker/store"
)

// Config is what an overview is made from.
type Config struct {
	Store     *store.Store
	Nodes     *nodes.Nodes
	Routers   *routing.Routers
	Publisher *routing.Publisher
	// NoRoom says what of an app finds no node.
	NoRoom func(app cluster.ID) []NoRoom
	// NextTry says when failing instances of an app are replaced, zero when
	// nothing holds that up.
	NextTry func(app cluster.ID) time.Time
	// Answers says what apps answered in the last minute, by the release that serves
	// each: of no other release, since one that was replaced says nothing about it.
	// Apps without errors may be missing; nil while it is not known.
	Answers     func(ctx context.Context, serving map[cluster.ID]cluster.ID) map[cluster.ID]Answers
	ReportEvery time.Duration // of nodes
	Started     time.Time     // of this pacemaker
	Now         func() time.Time
}

// Overview shows the cluster. Make it with New.
type Overview struct{ cfg Config }

// New makes it; it starts nothing.
func New(cfg Config) *Overview { return &Overview{cfg} }
