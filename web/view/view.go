// Package view turns the pacemaker's state into the shapes of web/wire: what
// lists, pages and event streams show of an app, a release, a job or a node. It
// reads and changes nothing, and knows no HTTP.
package view

import (
	"context"
	"time"

	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Views read from one pacemaker.
type Views struct {
	pace      *pacemaker.Pacemaker
	store     *store.Store
	logs      Logs
	publicURL string
}

// Logs know the instances that have lines, also those that are gone.
type Logs interface {
	// InstanceCalled finds one by what people call it; "" for none.
	InstanceCalled(ctx context.Context, app cluster.ID, name string) (cluster.ID, error)
}

// New makes views; publicURL is the base of the git addresses.
func New(p *pacemaker.Pacemaker, logs Logs, publicURL string) *Views {
	return &Views{pace: p, store: p.Store(), logs: logs, publicURL: publicURL}
}

// timeOrNil leaves out a time that is not known.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
