package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// MarkAborted notes why an open operation is to end. From then on none of its steps
// has an effect. It is a conflict once what the operation changes serves.
func (s *Store) MarkAborted(ctx context.Context, id cluster.ID, reason string) error {
	return s.write(ctx, "abort an operation", func(tx *gorm.DB) error {
		var row operationRow
		if err := tx.Where("id = ?", string(id)).Take(&row).Error; err != nil {
			return err
		}
		switch {
		case row.State != string(cluster.OperationOpen):
			return cluster.Conflict("job %s has ended already: %s", id.Short(), row.State)
		case row.Promoted:
			return tooLate(row)
		case row.AbortReason != "":
			return nil
		}
		return tx.Model(&row).Update("abort_reason", reason).Error
	})
}

func tooLate(row operationRow) error {
	id := cluster.ID(row.ID).Short()
	switch cluster.OperationKind(row.Kind) {
	case cluster.OpDeploy, cluster.OpRelease:
		return cluster.Conflict("job %s can't be cancelled any more: its release serves (to go back: aorta rollback)", id)
	case cluster.OpDestroy:
		return cluster.Conflict("job %s can't be cancelled any more: the app is out of the routes and being removed", id)
	}
	return cluster.Conflict("job %s can't be cancelled any more: its change is live", id)
}

// promote notes that what an operation changes serves, unless it is to end. What no
// operation has asked for is always fine.
func promote(tx *gorm.DB, id cluster.ID) error {
	if err := stillOpen(tx, id); err != nil {
		return err
	}
	return tx.Model(&operationRow{}).Where("id = ?", string(id)).Update("promoted", true).Error
}

// stillOpen refuses the effects of an operation that has ended or is to end.
func stillOpen(tx *gorm.DB, id cluster.ID) error {
	var rows []operationRow
	if err := tx.Where("id = ?", string(id)).Find(&rows).Error; err != nil || len(rows) == 0 {
		return err
	}
	return rows[0].operation().StillOpen()
}
