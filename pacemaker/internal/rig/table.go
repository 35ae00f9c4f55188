package rig

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aorta/router"
)

// Calls is what table and gate were asked, in order.
type Calls struct {
	mu   sync.Mutex // guards list
	list []string
}

func (c *Calls) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

// Take gives the calls since the last Take.
func (c *Calls) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// Gate is the master of one run.
type Gate struct {
	Calls Calls
	Run   string
	Err   error // of OpenGate
}

// RunID is part of what a gate does.
func (g *Gate) RunID(context.Context) (string, error) { return g.Run, nil }

// OpenGate is part of what a gate does.
func (g *Gate) OpenGate(_ context.Context, run string) error {
	g.Calls.add("open %s", run)
	return g.Err
}

// Table is a routing table that fails with Err.
type Table struct {
	calls *Calls
	Err   error // of the next write
	Held  router.Table
	Pair  router.Pair
}

func (f *Table) fail() error {
	err := f.Err
	if err != router.ErrFenced {
		f.Err = nil
	}
	return err
}

// Claim is part of what a table does.
func (f *Table) Claim(_ context.Context, epoch uint64) error {
	f.calls.add("claim %d", epoch)
	return f.fail()
}

// Publish is part of what a table does.
func (f *Table) Publish(_ context.Context, pair router.Pair, changed []router.Record, removed []string) error {
	f.calls.add("publish +%d -%d", len(changed), len(removed))
	if !f.Pair.Less(pair) {
		return fmt.Errorf("%s does not rise above %s", pair, f.Pair)
	}
	if err := f.fail(); err != nil {
		return err
	}
	f.Pair = pair
	for _, rec := range changed {
		f.Held[rec.Host] = rec
	}
	for _, host := range removed {
		delete(f.Held, host)
	}
	return nil
}

// Load is part of what a table does.
func (f *Table) Load(context.Context) (router.Table, router.Pair, error) {
	return f.Held, f.Pair, nil
}

// Replace is part of what a table does.
func (f *Table) Replace(_ context.Context, pair router.Pair, table router.Table) error {
	f.calls.add("replace %d", len(table))
	if !f.Pair.Less(pair) {
		return fmt.Errorf("%s does not rise above %s", pair, f.Pair)
	}
	if err := f.fail(); err != nil {
		return err
	}
	f.Pair, f.Held = pair, router.Table{}
	for host, rec := range table {
		f.Held[host] = rec
	}
	return nil
}

// DropTombstones is part of what a table does.
func (f *Table) DropTombstones(context.Context, time.Time) error { return nil }
