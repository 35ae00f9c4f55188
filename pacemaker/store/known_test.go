package store

import (
	"testing"

	"gorm.io/gorm"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

func TestApplyReport_OfUnknownInstancesWaitsForNoWrite(t *testing.T) {
	t.Parallel()
	s, _ := openStoreAt(t)
	n := newNode(t, s, "n1")
	list := make([]cluster.InstanceStatus, 2000)
	for i := range list {
		list[i] = cluster.InstanceStatus{ID: cluster.NewID(), State: cluster.InstanceRunning}
	}
	ctx := testkit.Bounded(t)

	err := s.write(ctx, "hold the database", func(*gorm.DB) error {
		unknown, changed, err := s.ApplyReport(ctx, n.ID, list)
		if len(unknown) != len(list) || changed {
			t.Errorf("got %d unknown, changed %t, want %d and nothing", len(unknown), changed, len(list))
		}
		return err
	})

	testkit.Must(t, err)
}

func TestApplyReport_TakesWhatANodeSaysOfAnInstanceLast(t *testing.T) {
	t.Parallel()
	s, _ := openStoreAt(t)
	n := newNode(t, s, "n1")
	id, _ := assign(t, s, n.ID)

	unknown, changed, err := s.ApplyReport(t.Context(), n.ID, []cluster.InstanceStatus{
		{ID: id, State: cluster.InstanceFailed}, {ID: id, State: cluster.InstanceRunning},
	})

	testkit.Must(t, err)
	in, err := s.Instance(t.Context(), id)
	testkit.Must(t, err)
	if len(unknown) != 0 || !changed || in.State != cluster.InstanceRunning {
		t.Errorf("got unknown %v, changed %t, %s; want it running", unknown, changed, in.State)
	}
}
