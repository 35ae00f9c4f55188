package store

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// statement is one that the store has sent.
type statement struct {
	sql  string
	vars []any
}

// recordStatements collects what the store sends from now on.
func recordStatements(t *testing.T, s *Store) *[]statement {
	t.Helper()
	var sent []statement
	record := func(db *gorm.DB) {
		sent = append(sent, statement{sql: db.Statement.SQL.String(), vars: slices.Clone(db.Statement.Vars)})
	}
	const name = "test:record"
	for _, db := range []*gorm.DB{s.read, s.writer.db} {
		testkit.Must(t, db.Callback().Query().After("gorm:query").Register(name, record))
		testkit.Must(t, db.Callback().Row().After("gorm:row").Register(name, record))
		testkit.Must(t, db.Callback().Update().After("gorm:update").Register(name, record))
		testkit.Must(t, db.Callback().Delete().After("gorm:delete").Register(name, record))
		testkit.Must(t, db.Callback().Raw().After("gorm:raw").Register(name, record))
	}
	return &sent
}

// wholeTables are read whole on purpose: they have a row or a few for each app,
// node or process type.
var wholeTables = []string{"apps", "domains", "traffic", "formations", "nodes"}

// bounded says that a step of a plan searches by an index, or reads no more than
// what is alive at the moment, or what a search with a limit has found.
func bounded(step string) bool {
	if !strings.HasPrefix(step, "SCAN") {
		return true
	}
	words := strings.Fields(step)
	return slices.Contains(wholeTables, words[1]) || words[1] == "CONSTANT" || words[1] == "found" || strings.HasPrefix(words[1], "(") ||
		strings.Contains(step, "instances_live") || strings.Contains(step, "builds_open")
}

// TestStore_SearchesByIndexWhateverItsHistory runs what loops, waits and pages
// ask again and again, and asks SQLite how it answered each statement.
func TestStore_SearchesByIndexWhateverItsHistory(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, op := newApp(t, s, "shop")
	node := cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}}
	testkit.Must(t, s.CreateNode(t.Context(), keyed(node), "admin"))
	release := newRelease(t, s, op)
	old := []Assignment{
		{ID: cluster.NewID(), App: app.ID, Release: release.ID, Type: "web", Node: node.ID, NeedsPort: true, Operation: op.ID},
		{ID: cluster.NewID(), App: app.ID, Release: release.ID, Type: "web", Node: node.ID, NeedsPort: true, Operation: op.ID},
	}
	testkit.Must(t, s.Assign(t.Context(), old))
	gone := cluster.InstanceStatus{ID: old[0].ID, State: cluster.InstanceFailed, Gone: true}
	sent := recordStatements(t, s)

	for name, use := range map[string]func(ctx context.Context) error{
		"instances of an app":    func(ctx context.Context) error { _, err := s.Instances(ctx, app.ID); return err },
		"instances":              func(ctx context.Context) error { _, err := s.Instances(ctx, ""); return err },
		"instances on a node":    func(ctx context.Context) error { _, err := s.InstancesOn(ctx, node.ID); return err },
		"instances by operation": func(ctx context.Context) error { _, err := s.InstancesByOperation(ctx, op.ID); return err },
		"instances retired by":   func(ctx context.Context) error { _, err := s.InstancesRetiredBy(ctx, op.ID); return err },
		"recent failures": func(ctx context.Context) error {
			_, err := s.FailuresSince(ctx, []cluster.ID{release.ID}, ages)
			return err
		},
		"standings of all":           func(ctx context.Context) error { _, err := s.Standings(ctx, nil); return err },
		"standings of some":          func(ctx context.Context) error { _, err := s.Standings(ctx, []cluster.ID{app.ID}); return err },
		"releases of live instances": func(ctx context.Context) error { _, err := s.LiveReleases(ctx); return err },
		"apps of instances":          func(ctx context.Context) error { _, err := s.AppsOf(ctx, []cluster.ID{old[0].ID}); return err },
		"recent operations": func(ctx context.Context) error {
			_, err := s.Operations(ctx, OperationQuery{Since: ages, Limit: -1})
			return err
		},
		"what an app is counted by": func(ctx context.Context) error { _, err := s.CountedNames(ctx, app.ID); return err },
		"apps that are counted for": func(ctx context.Context) error { _, err := s.CountedApps(ctx); return err },
		"apps to retire":            func(ctx context.Context) error { _, err := s.AppsToRetire(ctx); return err },
		"begin retire": func(ctx context.Context) error {
			_, err := s.BeginRetire(ctx, app.ID, func(int) string { return "Retire" })
			return err
		},
		"what it caused":     func(ctx context.Context) error { _, err := s.CausedBy(ctx, op.ID); return err },
		"what drains for it": func(ctx context.Context) error { _, err := s.DrainsFor(ctx, op); return err },
		"uncaused operations": func(ctx context.Context) error {
			_, err := s.Operations(ctx, OperationQuery{Uncaused: true, Since: ages, Limit: 50})
			return err
		},
		"operations of people": func(ctx context.Context) error {
			_, err := s.Operations(ctx, OperationQuery{By: ByPeople, Since: ages, Limit: 50})
			return err
		},
		"number of failed operations": func(ctx context.Context) error {
			_, err := s.CountOperations(ctx, OperationQuery{State: cluster.OperationFailed})
			return err
		},
		"operations of the platform": func(ctx context.Context) error {
			_, err := s.Operations(ctx, OperationQuery{By: ByAorta, Uncaused: true, Since: ages, Limit: 20})
			return err
		},
		"builds of an app": func(ctx context.Context) error {
			_, err := s.Builds(ctx, app.ID, cluster.NewID(), 50)
			return err
		},
		"last failed": func(ctx context.Context) error {
			_, err := s.LastFailed(ctx, app.ID, []string{"web"})
			return err
		},
		"last gone": func(ctx context.Context) error { _, _, err := s.LastGone(ctx, app.ID); return err },
		"assign": func(ctx context.Context) error {
			return s.Assign(ctx, []Assignment{{ID: cluster.NewID(), App: app.ID, Release: release.ID, Type: "web", Node: node.ID, NeedsPort: true}})
		},
		"a report": func(ctx context.Context) error {
			_, _, err := s.ApplyReport(ctx, node.ID, []cluster.InstanceStatus{gone})
			return err
		},
		"a promotion": func(ctx context.Context) error {
			return s.Promote(ctx, Promotion{App: app.ID, Release: release.ID, Drain: []cluster.ID{old[1].ID}})
		},
		"snapshot":                  func(ctx context.Context) error { _, err := s.Snapshot(ctx); return err },
		"routes":                    func(ctx context.Context) error { _, err := s.Routes(ctx); return err },
		"open operations":           func(ctx context.Context) error { _, err := s.OpenOperations(ctx); return err },
		"open operations of an app": func(ctx context.Context) error { _, err := s.OpenOperationsOf(ctx, app.ID); return err },
		"release of an operation":   func(ctx context.Context) error { _, err := s.ReleaseByOperation(ctx, op.ID); return err },
		"releases":                  func(ctx context.Context) error { _, err := s.Releases(ctx, app.ID, 0, 10); return err },
		"open builds":               func(ctx context.Context) error { _, err := s.OpenBuilds(ctx); return err },
		"kept sources":              func(ctx context.Context) error { _, err := s.DeploysKeepingSource(ctx, ""); return err },
		"superseded deploys":        func(ctx context.Context) error { _, err := s.Superseded(ctx, op); return err },
		"a failed operation's end": func(ctx context.Context) error {
			return s.EndOperation(ctx, Ending{ID: op.ID, State: cluster.OperationFailed})
		},
		"deletion of gone instances": func(ctx context.Context) error { _, err := s.DeleteGoneInstances(ctx, time.Now()); return err },
		"deletion of unused builds":  func(ctx context.Context) error { _, err := s.DeleteUnusedBuilds(ctx, ages); return err },
		"deletion of the archive":    func(ctx context.Context) error { return s.DeleteArchive(ctx, ages.UnixNano()) },
		"deletion of answers":        func(ctx context.Context) error { return s.DeleteIdempotencyKeys(ctx, ages.UnixNano()) },
	} {
		*sent = nil
		testkit.Must(t, use(t.Context()))
		statements := *sent
		if len(statements) == 0 {
			t.Errorf("%s: nothing was sent", name)
		}
		for _, st := range statements {
			for _, step := range explain(t, s, st) {
				if !bounded(step) {
					t.Errorf("%s: got the step %q, want a search by an index\n%s", name, step, st.sql)
				}
			}
		}
	}
}

// explain tells how SQLite answers a statement.
func explain(t *testing.T, s *Store, st statement) []string {
	t.Helper()
	var steps []struct{ Detail string }
	testkit.Must(t, s.read.Session(&gorm.Session{NewDB: true}).Raw("EXPLAIN QUERY PLAN "+st.sql, st.vars...).Scan(&steps).Error)
	out := make([]string, len(steps))
	for i, step := range steps {
		out[i] = step.Detail
	}
	return out
}
