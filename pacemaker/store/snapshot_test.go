package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestStore_SnapshotShowsTheWhole(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx := context.Background()
	begun := time.Now().Truncate(time.Second)
	shop, first := newApp(t, s, "shop")
	node := cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}}
	testkit.Must(t, s.CreateNode(ctx, keyed(node), "admin"))
	release := newRelease(t, s, first)
	testkit.Must(t, s.Promote(ctx, Promotion{App: shop.ID, Release: release.ID}))
	testkit.Must(t, s.EndOperation(ctx, Ending{ID: first.ID, State: cluster.OperationSucceeded, Tree: []byte("{}"), Log: []byte("[]")}))
	ids := []cluster.ID{cluster.NewID(), cluster.NewID()}
	for _, id := range ids {
		testkit.Must(t, s.Assign(ctx, []Assignment{{ID: id, App: shop.ID, Release: release.ID, Type: "web", Node: node.ID}}))
	}
	_, _, err := s.ApplyReport(ctx, node.ID, []cluster.InstanceStatus{{ID: ids[0], State: cluster.InstanceRunning}, {ID: ids[1], State: cluster.InstanceFailed, Gone: true}})
	testkit.Must(t, err)
	_, failed := newApp(t, s, "blog")
	testkit.Must(t, s.EndOperation(ctx, Ending{ID: failed.ID, State: cluster.OperationFailed, Error: "no", Tree: []byte("{}"), Log: []byte("[]")}))
	two := 2
	scale := cluster.Operation{ID: cluster.NewID(), Kind: cluster.OpScale, AppID: shop.ID, Title: "Scale"}
	testkit.Must(t, s.Begin(ctx, scale, WithFormations([]cluster.Formation{{AppID: shop.ID, Type: "web", Quantity: &two}})))

	v, err := s.Snapshot(ctx)
	testkit.Must(t, err)
	gone, found, err := s.LastGone(ctx, shop.ID)
	testkit.Must(t, err)
	_, never, err := s.LastGone(ctx, cluster.NewID())
	testkit.Must(t, err)

	if len(v.Apps) != 2 || v.Apps[0].Name != "blog" || v.Apps[1].Name != "shop" || len(v.Nodes) != 1 {
		t.Errorf("got apps %+v, nodes %+v; want blog, shop on n1", v.Apps, v.Nodes)
	}
	if r := v.Serving[shop.ID]; r.ID != release.ID || r.Label() != "v1" || len(r.Processes) != 1 || len(v.Serving) != 1 {
		t.Errorf("got serving %+v, want v1 of shop alone", v.Serving)
	}
	if q := v.Asked[shop.ID]["web"].Quantity; q == nil || *q != 2 {
		t.Errorf("got asked %+v, want web=2", v.Asked)
	}
	if list := v.Instances[shop.ID]; len(list) != 1 || list[0].ID != ids[0] {
		t.Errorf("got instances %+v, want the one that is not gone", list)
	}
	if len(v.Open) != 1 || v.Open[0].ID != scale.ID || len(v.Attention) != 1 || v.Attention[0].ID != failed.ID {
		t.Errorf("got open %+v, attention %+v; want the scale, the failed deploy", v.Open, v.Attention)
	}
	if !found || gone.Before(begun) || never {
		t.Errorf("got gone %s %t, never %t; want just now, and false", gone, found, never)
	}
}

// crowd makes apps with releases of which the last serves with two instances.
func crowd(tb testing.TB, s *Store, apps, releases int) {
	tb.Helper()
	ctx := context.Background()
	node := cluster.Node{ID: cluster.NewID(), Name: "n1", Roles: []cluster.Role{cluster.RoleHeart}}
	testkit.Must(tb, s.CreateNode(ctx, keyed(node), "admin"))
	for i := range apps {
		app, err := s.CreateApp(ctx, fmt.Sprintf("app-%d", i), fmt.Sprintf("app-%d.test", i), "admin")
		testkit.Must(tb, err)
		testkit.Must(tb, s.write(ctx, "fill", func(tx *gorm.DB) error {
			var rows []releaseRow
			for n := range releases {
				rows = append(rows, releaseRow{
					ID: string(cluster.NewID()), AppID: string(app.ID), Number: n + 1, BuildID: "b", OperationID: string(cluster.NewID()),
					State: "retired", Image: `{"ref":"img","id":"sha256:1"}`, Processes: `[{"name":"web"},{"name":"worker","command":"./work"}]`,
					Config: "sealed", Message: "a message", CreatedAt: s.now().UnixNano(),
				})
			}
			if err := tx.CreateInBatches(rows, 100).Error; err != nil {
				return err
			}
			last := rows[len(rows)-1].ID
			if err := tx.Create(&trafficRow{AppID: string(app.ID), ReleaseID: last, Weight: cluster.FullWeight}).Error; err != nil {
				return err
			}
			for range 2 {
				in := instanceRow{ID: string(cluster.NewID()), AppID: string(app.ID), ReleaseID: last, Type: "web", NodeID: string(node.ID), State: "running", CreatedAt: s.now().UnixNano()}
				if err := tx.Create(&in).Error; err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func BenchmarkStore_Survey(b *testing.B) {
	s := openStore(b)
	crowd(b, s, 1000, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Snapshot(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
