package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// DrainFor marks instances as draining that have to be gone before an open operation goes
// on.
func (s *Store) DrainFor(ctx context.Context, op cluster.ID, ids []cluster.ID) error {
	return s.write(ctx, "drain instances for others", func(tx *gorm.DB) error {
		if err := stillOpen(tx, op); err != nil {
			return err
		}
		return s.markDraining(tx, op, ids)
	})
}

// refuseSecond is a conflict while another operation's instance of an exclusive process
// type is not gone, and may run on its node: this is what holds whatever else goes wrong.
// One that cannot run any more is drained with the assignment: if it is there after all,
// its heart gets no leave to start it.
func (s *Store) refuseSecond(tx *gorm.DB, a Assignment) error {
	var others []instanceRow
	err := tx.Where("app_id = ? AND type = ? AND gone_at IS NULL AND operation_id <> ?", string(a.App), a.Type, string(a.Operation)).Find(&others).Error
	if err != nil {
		return err
	}
	var ended []cluster.ID
	for _, in := range others {
		if err := refuseBeside(tx, in, a.Type); err != nil {
			return err
		}
		ended = append(ended, cluster.ID(in.ID))
	}
	return s.markDraining(tx, a.Operation, ended)
}

// refuseBeside is a conflict while one instance of an exclusive process type may run.
func refuseBeside(tx *gorm.DB, in instanceRow, typ string) error {
	var row nodeRow
	if err := tx.Where("id = ?", in.NodeID).Take(&row).Error; err != nil {
		return err
	}
	node, err := row.node()
	if err == nil && in.GoneAt == nil && (cluster.ProcessType{Exclusive: true}).MayRunOn(node, in.instance()) {
		return cluster.Conflict("%s on %s is not gone yet, and %s is exclusive: no other one starts before", in.instance().Name(), node.Name, typ)
	}
	return err
}
