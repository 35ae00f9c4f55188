// Package view turns the pacemaker's state into the shapes of web/wire: what
// lists, pages and event streams show of an app, a release, a job or a node. It
// reads and changes nothing, and knows no HTTP.
package view

import (
	"time"

	"aorta/pacemaker"
	"aorta/pacemaker/store"
)

// Views read from one pacemaker.
type Views struct {
	pace      *pacemaker.Pacemaker
	store     *store.Store
	publicURL string
}

// New makes views; publicURL is the base of the git addresses.
func New(p *pacemaker.Pacemaker, publicURL string) *Views {
	return &Views{pace: p, store: p.Store(), publicURL: publicURL}
}

// timeOrNil leaves out a time that is not known.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
