// Package rig gives the tests of the pacemaker a real store with a clock of its
// own, and stands in for the servers around it. It is for tests alone.
package rig

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aorta/internal/seal"
	"aorta/internal/testkit"
	"aorta/pacemaker/store"
)

// Epoch is the epoch of every rig.
const Epoch = 7

// begin is when every rig's clock begins.
var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Rig is a store, its clock, and what stands in for the servers around.
type Rig struct {
	TB    testing.TB
	Dir   string // of the store, gone with the test
	Store *store.Store
	Clock *Clock
	Table *Table
	Gate  *Gate
	Jobs  *Jobs
	Log   *slog.Logger
}

// New makes a rig whose store has an admin and nothing else.
func New(tb testing.TB) *Rig {
	tb.Helper()
	r := &Rig{
		TB: tb, Dir: tb.TempDir(), Clock: &Clock{at: begin}, Gate: &Gate{Run: "run1"}, Jobs: newJobs(),
		Log: slog.New(slog.DiscardHandler),
	}
	r.Table = &Table{calls: &r.Gate.Calls}
	sealer, err := seal.Open(filepath.Join(r.Dir, "key"), true)
	testkit.Must(tb, err)
	raw, err := template()
	testkit.Must(tb, err)
	testkit.Must(tb, os.WriteFile(filepath.Join(r.Dir, "aorta.db"), raw, 0o600))
	r.Store, err = store.Open(context.Background(), store.Config{Dir: r.Dir, Sealer: sealer, Log: r.Log, Now: r.Clock.Now})
	testkit.Must(tb, err)
	tb.Cleanup(func() { _ = r.Store.Close() })
	return r
}

// template is a database with its schema and the first admin, made once:
// migrating takes longer than most tests.
var template = sync.OnceValues(func() (raw []byte, err error) {
	dir, err := os.MkdirTemp("", "template")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx := context.Background() // of no one test
	s, err := store.Open(ctx, store.Config{Dir: dir, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return begin }})
	if err != nil {
		return nil, err
	}
	_, err = s.Bootstrap(ctx, "admin", "token")
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "aorta.db"))
})
