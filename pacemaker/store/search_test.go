package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// ages is when the operations of newHistory begin; one follows each second.
var ages = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// newHistory writes n operations of 50 apps, in one statement.
func newHistory(t *testing.T, s *Store, n int) {
	t.Helper()
	testkit.Must(t, s.write(t.Context(), "write a history", func(tx *gorm.DB) error {
		return tx.Exec(`
			WITH RECURSIVE n(i, ms) AS (SELECT 0, ? UNION ALL SELECT i + 1, ms + 1000 FROM n WHERE i < ?)
			INSERT INTO operations (id, kind, app_id, title, state, username, created_at, ended_at)
			SELECT printf('%08x-%04x-7000-8000-%012x', ms >> 16, ms & 65535, i),
				CASE i % 5 WHEN 0 THEN 'scale' WHEN 1 THEN 'restart' ELSE 'deploy' END,
				printf('0192d3a0-0000-7000-8000-%012x', i % 50), 'Work ' || i,
				CASE i % 11 WHEN 0 THEN 'failed' WHEN 1 THEN 'aborted' ELSE 'succeeded' END, CASE i % 7 WHEN 0 THEN '' ELSE 'ann' END, ms * 1000000, ms * 1000000
			FROM n`, ages.UnixMilli(), n-1).Error
	}))
}

func nthApp(n int) cluster.ID { return cluster.ID(fmt.Sprintf("0192d3a0-0000-7000-8000-%012x", n)) }

// searches are filters alone and together.
func searches() map[string]OperationQuery {
	from, to := ages.Add(10*time.Minute), ages.Add(40*time.Minute)
	return map[string]OperationQuery{
		"app":                 {App: nthApp(7)},
		"kind":                {Kind: cluster.OpScale},
		"state":               {State: cluster.OperationFailed},
		"since":               {Since: from},
		"until":               {Until: from},
		"a while":             {Since: from, Until: to},
		"page":                {Below: cluster.FirstIDAt(to)},
		"app and kind":        {App: nthApp(7), Kind: cluster.OpDeploy},
		"app and state":       {App: nthApp(7), State: cluster.OperationAborted},
		"kind and state":      {Kind: cluster.OpRestart, State: cluster.OperationFailed},
		"all":                 {App: nthApp(7), Kind: cluster.OpDeploy, State: cluster.OperationSucceeded, Since: from, Until: to},
		"all, and a page":     {App: nthApp(7), Kind: cluster.OpDeploy, State: cluster.OperationSucceeded, Since: from, Below: cluster.FirstIDAt(to)},
		"people since":        {By: ByPeople, Since: from},
		"aorta and state":     {By: ByAorta, State: cluster.OperationFailed},
		"attention":           {Attention: true},
		"attention of an app": {App: nthApp(7), Attention: true},
	}
}

func (q OperationQuery) takes(op cluster.Operation) bool {
	return (q.App == "" || op.AppID == q.App) && (q.Kind == "" || op.Kind == q.Kind) && (q.State == "" || op.State == q.State) &&
		(q.Since.IsZero() || !op.CreatedAt.Before(q.Since)) && (q.Until.IsZero() || op.CreatedAt.Before(q.Until)) &&
		(q.Below == "" || op.ID < q.Below) && (q.By == "" || (op.User != "") == (q.By == ByPeople))
}

func TestOperations_FiltersHoldTogether(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	newHistory(t, s, 3_000)
	all, err := s.Operations(t.Context(), OperationQuery{Limit: 10_000})
	testkit.Must(t, err)

	for name, q := range searches() {
		if q.Attention {
			continue // of apps that are there
		}
		q.Limit = 100

		got, err := s.Operations(t.Context(), q)
		testkit.Must(t, err)
		n, err := s.CountOperations(t.Context(), q)
		testkit.Must(t, err)

		want := slices.DeleteFunc(slices.Clone(all), func(op cluster.Operation) bool { return !q.takes(op) })
		want = want[:min(len(want), q.Limit)]
		q.Below = ""
		whole := slices.DeleteFunc(slices.Clone(all), func(op cluster.Operation) bool { return !q.takes(op) })
		if n != len(whole) {
			t.Errorf("%s: counted %d, want %d", name, n, len(whole))
		}
		if !slices.EqualFunc(got, want, func(a, b cluster.Operation) bool { return a.ID == b.ID }) || len(want) == 0 {
			t.Errorf("%s: got %d operations, want %d, the newest first", name, len(got), len(want))
		}
	}
}

func TestOperations_SearchesByIndexAlone(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	newHistory(t, s, history)

	for name, q := range searches() {
		q.Limit = 101

		plan := planOf(t, s, q)

		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN") || strings.Contains(step, "B-TREE") {
				t.Errorf("%s: got the plan %q, want each step to search by an index, in the order of the list", name, plan)
			}
		}
	}
	if plan := planOf(t, s, OperationQuery{Limit: 101}); len(plan) != 1 || !strings.Contains(plan[0], "USING INDEX") {
		t.Errorf("without a filter: got the plan %q, want the index of the ids alone", plan)
	}
}

func TestFindOperation_SearchesTheShortFormByIndex(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	_, op := newApp(t, s, "shop")
	var plan struct{ Detail string }

	testkit.Must(t, s.read.Raw("EXPLAIN QUERY PLAN SELECT * FROM operations WHERE substr(id, 29) = 'x'").Scan(&plan).Error)
	found, err := s.FindOperation(t.Context(), op.ID.Short())

	var twin operationRow
	testkit.Must(t, s.read.Where("id = ?", string(op.ID)).Take(&twin).Error)
	twin.ID = "00000000" + twin.ID[8:]
	testkit.Must(t, s.write(t.Context(), "write a twin", func(tx *gorm.DB) error { return tx.Create(&twin).Error }))
	_, several := s.FindOperation(t.Context(), op.ID.Short())
	_, none := s.FindOperation(t.Context(), "00000000")

	if cluster.CodeOf(several) != cluster.CodeConflict || !strings.Contains(several.Error(), string(op.ID)) || !strings.Contains(several.Error(), twin.ID) || cluster.CodeOf(none) != cluster.CodeNotFound {
		t.Errorf("got %v for two of a name and %v for none, want a conflict that names them", several, none)
	}
	if !strings.Contains(plan.Detail, "operations_short") || err != nil || found.ID != op.ID {
		t.Errorf("got the plan %q and %s, %v; want %s by the index", plan.Detail, found.ID, err, op.ID)
	}
}

// planOf tells how SQLite would answer.
func planOf(t *testing.T, s *Store, q OperationQuery) []string {
	t.Helper()
	st := q.on(s.read.Session(&gorm.Session{DryRun: true})).Find(&[]operationRow{}).Statement
	var steps []struct{ Detail string }
	testkit.Must(t, s.read.Raw("EXPLAIN QUERY PLAN "+st.SQL.String(), st.Vars...).Scan(&steps).Error)
	out := make([]string, len(steps))
	for i, step := range steps {
		out[i] = step.Detail
	}
	return out
}

func TestFormerApp_IsFoundByTheBeginningOfItsID(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	newHistory(t, s, 100)

	whole, werr := s.FormerApp(t.Context(), string(nthApp(7)))
	start, serr := s.FormerApp(t.Context(), string(nthApp(0x31))[:36])
	_, many := s.FormerApp(t.Context(), "0192d3a0")
	_, none := s.FormerApp(t.Context(), "0192d3a1")
	_, short := s.FormerApp(t.Context(), "0192d3a")
	_, odd := s.FormerApp(t.Context(), "0192d3a0%")

	if whole != nthApp(7) || start != nthApp(0x31) || werr != nil || serr != nil {
		t.Errorf("got %s (%v) and %s (%v), want both apps", whole, werr, start, serr)
	}
	for name, err := range map[string]error{"many": many, "none": none, "short": short, "odd": odd} {
		if cluster.CodeOf(err) != cluster.CodeNotFound {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
}

func TestOpenOperations_TakeTurnsAsTheyCame(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	app, first := newApp(t, s, "shop")
	early := cluster.NewID() // its operation is written late
	second := newDeploy(t, s, app)
	third := cluster.Operation{ID: early, Kind: cluster.OpScale, AppID: app.ID, Title: "Scale", User: "admin"}
	testkit.Must(t, s.Begin(t.Context(), third))

	all, err := s.OpenOperations(t.Context())
	testkit.Must(t, err)
	own, err := s.OpenOperationsOf(t.Context(), app.ID)
	testkit.Must(t, err)

	want := []cluster.ID{first.ID, second.ID, third.ID}
	for _, list := range [][]cluster.Operation{all, own} {
		got := make([]cluster.ID, len(list))
		for i, op := range list {
			got[i] = op.ID
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
