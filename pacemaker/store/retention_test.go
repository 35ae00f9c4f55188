package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// goneRow writes an instance that was gone at a moment; nil: that is not gone.
func goneRow(t *testing.T, s *Store, row instanceRow, at *time.Time) cluster.ID {
	t.Helper()
	row.ID, row.State, row.Type = string(cluster.NewID()), string(cluster.InstanceStopped), "web"
	if at == nil {
		row.State = string(cluster.InstanceRunning)
	} else {
		ns := at.UnixNano()
		row.GoneAt = &ns
	}
	testkit.Must(t, s.write(t.Context(), "write an instance", func(tx *gorm.DB) error { return tx.Create(&row).Error }))
	return cluster.ID(row.ID)
}

func TestDeleteGoneInstances_KeepsWhatIsStillAskedFor(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, open := newApp(t, s, "shop")
	done := ended(t, s, cluster.Operation{Kind: cluster.OpScale, AppID: shop.ID}, cluster.OperationSucceeded)
	node := cluster.Node{ID: cluster.NewID(), Name: "n1"}
	testkit.Must(t, s.CreateNode(t.Context(), keyed(node), "admin"))
	cut := time.Now()
	old, young := cut.Add(-time.Hour), cut.Add(time.Hour)
	of := func(app cluster.ID, started, retired cluster.Operation) instanceRow {
		return instanceRow{AppID: string(app), NodeID: string(node.ID), OperationID: string(started.ID), RetireID: string(retired.ID)}
	}
	other, blog := cluster.NewID(), func() cluster.App { app, _ := newApp(t, s, "blog"); return app }()
	want := map[string]cluster.ID{
		"live":                              goneRow(t, s, of(shop.ID, done, done), nil),
		"gone lately":                       goneRow(t, s, of(shop.ID, done, done), &young),
		"started by an open operation":      goneRow(t, s, of(shop.ID, open, done), &old),
		"stopped by an open operation":      goneRow(t, s, of(shop.ID, done, open), &old),
		"the last of an app that lacks all": goneRow(t, s, of(blog.ID, done, done), &old),
	}
	goneRow(t, s, of(shop.ID, done, done), &old)
	goneRow(t, s, of(other, done, done), &old) // of an app that was destroyed
	earlier := old.Add(-time.Minute)
	goneRow(t, s, of(blog.ID, done, done), &earlier)

	n, err := s.DeleteGoneInstances(t.Context(), cut)
	testkit.Must(t, err)

	var left []cluster.ID
	testkit.Must(t, s.read.Model(&instanceRow{}).Pluck("id", &left).Error)
	if n != 3 || len(left) != len(want) {
		t.Errorf("got %d deleted and %d left, want 3 and %d", n, len(left), len(want))
	}
	for name, id := range want {
		if !slices.Contains(left, id) {
			t.Errorf("%s: got it deleted, want it kept", name)
		}
	}
	if at, found, err := s.LastGone(t.Context(), blog.ID); err != nil || !found || !at.Equal(old) {
		t.Errorf("got the last one of blog gone at %s (%t, %v), want %s", at, found, err, old)
	}
}

func TestDeleteGoneInstances_WorksThroughMoreThanOneBatch(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	node := cluster.Node{ID: cluster.NewID(), Name: "n1"}
	testkit.Must(t, s.CreateNode(t.Context(), keyed(node), "admin"))
	const rows = 2*deleteBatch + 1
	testkit.Must(t, s.write(t.Context(), "write instances", func(tx *gorm.DB) error {
		list := make([]instanceRow, rows)
		for i := range list {
			at := int64(i + 1)
			list[i] = instanceRow{ID: fmt.Sprint(i), AppID: "gone", NodeID: string(node.ID), State: "stopped", GoneAt: &at}
		}
		return tx.CreateInBatches(list, 100).Error
	}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, cut := s.DeleteGoneInstances(ctx, time.Now())
	n, err := s.DeleteGoneInstances(t.Context(), time.Now())

	if cut == nil || err != nil || n != rows {
		t.Errorf("got %v with its context ended, then %d deleted (%v); want an error, then %d", cut, n, err, rows)
	}
}

func TestDeleteUnusedBuilds_KeepsTheBuildsOfReleasesAndOfOpenOperations(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	shop, first := newApp(t, s, "shop")
	newRelease(t, s, first)
	endAs(t, s, first.ID, cluster.OperationSucceeded)
	failed := newDeploy(t, s, shop)
	endAs(t, s, failed.ID, cluster.OperationFailed)
	_, open := newApp(t, s, "blog")
	buildOf := func(op cluster.Operation) cluster.ID { return cluster.DeriveID(op.ID, "build", 0) }

	young, err := s.DeleteUnusedBuilds(t.Context(), time.Now().Add(-time.Hour))
	testkit.Must(t, err)
	old, err := s.DeleteUnusedBuilds(t.Context(), time.Now().Add(time.Hour))
	testkit.Must(t, err)

	if young != 0 || old != 1 {
		t.Errorf("got %d young and %d old ones deleted, want none and the one of the failed deploy", young, old)
	}
	for name, want := range map[cluster.ID]bool{buildOf(first): true, buildOf(failed): false, buildOf(open): true} {
		if _, err := s.Build(t.Context(), name); (err == nil) != want {
			t.Errorf("build %s: got %v, want it there: %t", name, err, want)
		}
	}
}
