package store

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store/sqlite"
)

// ended begins an operation and ends it.
func ended(t *testing.T, s *Store, op cluster.Operation, state cluster.OperationState) cluster.Operation {
	t.Helper()
	op.ID = cluster.NewID()
	if op.Title == "" {
		op.Title = "Do " + string(op.Kind)
	}
	testkit.Must(t, s.Begin(t.Context(), op))
	return endAs(t, s, op.ID, state)
}

func endAs(t *testing.T, s *Store, id cluster.ID, state cluster.OperationState) cluster.Operation {
	t.Helper()
	testkit.Must(t, s.EndOperation(t.Context(), Ending{ID: id, State: state, Error: "boom", Tree: []byte("{}"), Log: []byte("[]")}))
	op, err := s.Operation(t.Context(), id)
	testkit.Must(t, err)
	return op
}

func TestMayRepeat_SaysWhyNot(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, open := newApp(t, s, "shop")
	other, _ := newApp(t, s, "other")
	of := func(kind cluster.OperationKind) cluster.Operation {
		return cluster.Operation{Kind: kind, AppID: shop.ID, User: "ann"}
	}
	scaled := ended(t, s, of(cluster.OpScale), cluster.OperationFailed)
	fine := ended(t, s, of(cluster.OpScale), cluster.OperationFailed)
	aborted := ended(t, s, of(cluster.OpScale), cluster.OperationAborted)
	discarded := ended(t, s, of(cluster.OpScale), cluster.OperationFailed)
	_, err := s.Discard(t.Context(), discarded.ID, "ann")
	testkit.Must(t, err)
	retired := ended(t, s, of(cluster.OpRetire), cluster.OperationFailed)
	stopped := ended(t, s, of(cluster.OpStop), cluster.OperationFailed)
	restarted := ended(t, s, of(cluster.OpRestart), cluster.OperationSucceeded)
	endAs(t, s, open.ID, cluster.OperationFailed)
	next := newDeploy(t, s, shop)
	gone := ended(t, s, cluster.Operation{Kind: cluster.OpScale, AppID: other.ID}, cluster.OperationFailed)
	testkit.Must(t, s.DeleteApp(t.Context(), other.ID))
	noNode := ended(t, s, cluster.Operation{Kind: cluster.OpPrune, NodeID: cluster.NewID()}, cluster.OperationFailed)

	for name, c := range map[string]struct {
		id   cluster.ID
		want []string
	}{
		"failed":       {scaled.ID, nil},
		"failed since": {fine.ID, nil},
		"aborted":      {aborted.ID, nil},
		"open":         {next.ID, []string{"has not ended", "aorta jobs follow " + next.ID.Short(), "aorta jobs abort " + next.ID.Short()}},
		"succeeded":    {restarted.ID, []string{"Do restart", "succeeded"}},
		"discarded":    {discarded.ID, []string{"discarded by ann"}},
		"recurring":    {retired.ID, []string{"started by Aorta, which repeats it by itself"}},
		"open since":   {open.ID, []string{next.ID.Short(), "is open", "aorta jobs show " + next.ID.Short()}},
		"done since":   {stopped.ID, []string{restarted.ID.Short(), "Do restart", "has succeeded"}},
		"no app":       {gone.ID, []string{"the app of job " + gone.ID.Short(), "no longer exists, so there is nothing to retry"}},
		"no node":      {noNode.ID, []string{"the node of job " + noNode.ID.Short(), "no longer exists, so there is nothing to retry"}},
	} {
		err := s.MayRetry(t.Context(), c.id)

		if (err != nil) != (c.want != nil) || err != nil && cluster.CodeOf(err) != cluster.CodeConflict {
			t.Errorf("%s: got %v, want a conflict: %v", name, err, c.want != nil)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", name, err, want)
			}
		}
	}
}

func TestRepeats_LetsOneOfTwoThrough(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, _ := newApp(t, s, "shop")
	old := ended(t, s, cluster.Operation{Kind: cluster.OpScale, AppID: shop.ID}, cluster.OperationFailed)
	again := func() cluster.Operation {
		return cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpScale, AppID: shop.ID, Title: "Again", User: "ann"}
	}
	first := again()

	won := s.Begin(t.Context(), first, Retries(old.ID))
	lost := s.Begin(t.Context(), again(), Retries(old.ID))

	if won != nil || cluster.CodeOf(lost) != cluster.CodeConflict || !strings.Contains(lost.Error(), first.ID.Short()) {
		t.Errorf("got %v and %v, want the second refused for the first", won, lost)
	}
}

func TestDiscard_OnceAndForGood(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, open := newApp(t, s, "shop")
	failed := ended(t, s, cluster.Operation{Kind: cluster.OpScale, AppID: shop.ID}, cluster.OperationFailed)
	done := ended(t, s, cluster.Operation{Kind: cluster.OpStop, AppID: shop.ID}, cluster.OperationSucceeded)

	first, err := s.Discard(t.Context(), failed.ID, "ann")
	testkit.Must(t, err)
	second, err := s.Discard(t.Context(), failed.ID, "bob")
	testkit.Must(t, err)
	_, early := s.Discard(t.Context(), open.ID, "ann")
	_, late := s.Discard(t.Context(), done.ID, "ann")
	_, none := s.Discard(t.Context(), cluster.NewID(), "ann")

	if first.DiscardedBy != "ann" || first.DiscardedAt == nil || second.DiscardedBy != "ann" || !second.DiscardedAt.Equal(*first.DiscardedAt) {
		t.Errorf("got %+v, then %+v; want it discarded by ann, once", first, second)
	}
	if cluster.CodeOf(early) != cluster.CodeConflict || !strings.Contains(early.Error(), "aorta jobs abort") {
		t.Errorf("an open one: got %v, want a conflict with what to type", early)
	}
	if cluster.CodeOf(late) != cluster.CodeConflict || cluster.CodeOf(none) != cluster.CodeNotFound {
		t.Errorf("got %v and %v, want a conflict and not found", late, none)
	}
}

func TestNeedsAttention_UntilSomebodySeesToIt(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, deploy := newApp(t, s, "shop")
	node := cluster.Node{ID: cluster.NewID(), Name: "n1"}
	testkit.Must(t, s.CreateNode(t.Context(), keyed(node), "admin"))
	scale := cluster.Operation{Kind: cluster.OpScale, AppID: shop.ID}
	endAs(t, s, deploy.ID, cluster.OperationFailed)
	scaled := ended(t, s, scale, cluster.OperationFailed)
	pruned := ended(t, s, cluster.Operation{Kind: cluster.OpPrune, NodeID: node.ID}, cluster.OperationFailed)
	ended(t, s, cluster.Operation{Kind: cluster.OpPrune, NodeID: cluster.NewID()}, cluster.OperationFailed) // of a node that is gone
	ended(t, s, cluster.Operation{Kind: cluster.OpStop, AppID: shop.ID}, cluster.OperationAborted)

	wantNeedy(t, s, "what failed", deploy.ID, scaled.ID, pruned.ID)
	again := scale
	again.ID, again.Title = cluster.NewID(), "Again"
	testkit.Must(t, s.Begin(t.Context(), again))
	wantNeedy(t, s, "while a later one is open", deploy.ID, pruned.ID)
	endAs(t, s, again.ID, cluster.OperationFailed)
	wantNeedy(t, s, "when that failed too", deploy.ID, scaled.ID, pruned.ID, again.ID)
	ended(t, s, scale, cluster.OperationSucceeded)
	_, err := s.Discard(t.Context(), pruned.ID, "ann")
	testkit.Must(t, err)
	wantNeedy(t, s, "once one succeeded and one is discarded", deploy.ID)
	testkit.Must(t, s.DeleteApp(t.Context(), shop.ID))
	wantNeedy(t, s, "without its app")
}

// wantNeedy asks both ways, for the list and for each operation.
func wantNeedy(t *testing.T, s *Store, when string, want ...cluster.ID) {
	t.Helper()
	all, err := s.Operations(t.Context(), OperationQuery{Limit: 100})
	testkit.Must(t, err)
	list, err := s.Operations(t.Context(), OperationQuery{Attention: true, Limit: 100})
	testkit.Must(t, err)
	var ids, listed []cluster.ID
	for _, op := range all {
		ids = append(ids, op.ID)
	}
	for _, op := range list {
		listed = append(listed, op.ID)
	}
	picked, err := s.NeedAttention(t.Context(), ids)
	testkit.Must(t, err)
	slices.Sort(want)
	slices.Sort(listed)
	if !slices.Equal(listed, want) || len(picked) != len(want) {
		t.Errorf("%s: got %v listed and %v picked, want %v", when, listed, picked, want)
	}
}

func TestSourceKeepers_AreThoseThatMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, first := newApp(t, s, "shop")
	second, third, fourth := newDeploy(t, s, shop), newDeploy(t, s, shop), newDeploy(t, s, shop)
	keepers := func() []cluster.ID {
		list, err := s.DeploysKeepingSource(t.Context(), "")
		testkit.Must(t, err)
		ids := []cluster.ID{}
		for _, op := range list {
			ids = append(ids, op.ID)
		}
		slices.Sort(ids)
		return ids
	}
	expect := func(when string, want ...cluster.ID) {
		t.Helper()
		if got := keepers(); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}

	expect("all open", first.ID, second.ID, third.ID, fourth.ID)
	endAs(t, s, first.ID, cluster.OperationFailed)
	endAs(t, s, second.ID, cluster.OperationAborted)
	expect("two without success", second.ID, third.ID, fourth.ID)
	endAs(t, s, fourth.ID, cluster.OperationAborted) // before its turn
	expect("a later one ended", third.ID, fourth.ID)
	third = endAs(t, s, third.ID, cluster.OperationSucceeded)
	expect("one succeeded", fourth.ID)
	over, err := s.Superseded(t.Context(), third)
	testkit.Must(t, err)
	if len(over) != 1 || over[0].ID != second.ID {
		t.Errorf("got %+v superseded, want the one that ended before it", over)
	}
	_, err = s.Discard(t.Context(), fourth.ID, "ann")
	testkit.Must(t, err)
	expect("one discarded")
	fifth := newDeploy(t, s, shop)
	expect("one more", fifth.ID)
	testkit.Must(t, s.DeleteApp(t.Context(), shop.ID))
	expect("no app")
}

func TestOpen_BringsTheFirstSchemaUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "aorta.db"))
	testkit.Must(t, err)
	p, err := provider(db, sqlite.New(dir))
	testkit.Must(t, err)
	_, err = p.UpTo(t.Context(), 1)
	testkit.Must(t, err)
	id := cluster.NewID()
	_, err = db.Exec(`INSERT INTO operations (id, kind, title, state, created_at, ended_at) VALUES (?, 'deploy', 'An old one', 'failed', 1, 2)`, string(id))
	testkit.Must(t, err)
	_, early := db.Exec(`UPDATE operations SET discarded_at = 1`)
	testkit.Must(t, db.Close())

	s, err := tryOpen(t, dir)
	testkit.Must(t, err)

	op, err := s.Operation(t.Context(), id)
	testkit.Must(t, err)
	if op.Title != "An old one" || op.State != cluster.OperationFailed || op.DiscardedAt != nil {
		t.Errorf("got %+v, want the old operation as it was", op)
	}
	if op, err = s.Discard(t.Context(), id, "ann"); err != nil || op.DiscardedBy != "ann" {
		t.Errorf("got %+v, %v, want it discarded", op, err)
	}
	if early == nil {
		t.Error("the first schema has the column of a later one")
	}
	var strict int
	testkit.Must(t, s.read.Session(&gorm.Session{}).Raw("SELECT strict FROM pragma_table_list WHERE name = 'operations'").Scan(&strict).Error)
	if strict != 1 {
		t.Error("the table is not strict any more")
	}
}
