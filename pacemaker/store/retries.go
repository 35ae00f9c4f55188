package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// MayRetry says why an operation can't be retried, with the next step: it has not
// ended, it succeeded, it was discarded, the platform retries it by itself, its
// app or node is gone, or a newer operation would be undone.
func (s *Store) MayRetry(ctx context.Context, id cluster.ID) error {
	return translate(mayRetry(s.read.WithContext(ctx), id), "read job "+string(id))
}

// Retries checks again, in the transaction of the new operation, that the other
// one may be retried: of two people who ask at once, one is refused.
func Retries(id cluster.ID) Part {
	return func(_ *Store, tx *gorm.DB, op cluster.Operation) error {
		return mayRetry(tx.Where("id <> ?", string(op.ID)), id)
	}
}

// mayRetry searches the rows that db is narrowed down to.
func mayRetry(db *gorm.DB, id cluster.ID) error {
	db = db.Session(&gorm.Session{})
	var row operationRow
	if err := db.Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return err
	}
	op := row.operation()
	name := op.ID.Short()
	switch {
	case op.Kind.Recurring():
		return cluster.Conflict("job %s (%s) was started by Aorta, which repeats it by itself", name, op.Title)
	case op.State == cluster.OperationOpen:
		return cluster.Conflict("job %s (%s) has not ended (follow it: aorta jobs follow %[1]s; end it: aorta jobs abort %[1]s)", name, op.Title)
	case op.State == cluster.OperationSucceeded:
		return cluster.Conflict("job %s (%s) succeeded: there is nothing to retry", name, op.Title)
	case op.DiscardedAt != nil:
		return cluster.Conflict("job %s (%s) was discarded by %s and can't be retried: start a new one", name, op.Title, op.DiscardedBy)
	}
	if err := stillThere(db, op); err != nil {
		return err
	}
	return nothingNewer(db, op)
}

// stillThere refuses what is about an app or a node that is gone.
func stillThere(db *gorm.DB, op cluster.Operation) error {
	model, id, what := any(&appRow{}), op.AppID, "app"
	if id == "" {
		model, id, what = &nodeRow{}, op.NodeID, "node"
	}
	if id == "" {
		return nil // it is about the whole cluster
	}
	var n int64
	if err := db.Session(&gorm.Session{NewDB: true}).Model(model).Where("id = ?", string(id)).Count(&n).Error; err != nil {
		return err
	}
	if n == 0 {
		return cluster.Conflict("the %s of job %s (%s) no longer exists, so there is nothing to retry", what, op.ID.Short(), op.Title)
	}
	return nil
}

// nothingNewer refuses to undo a newer operation that is open or has succeeded.
func nothingNewer(db *gorm.DB, op cluster.Operation) error {
	var rows []operationRow
	err := db.Where("app_id = ? AND node_id = ? AND kind IN ? AND state IN ('open', 'succeeded')", string(op.AppID), string(op.NodeID), op.Kind.Family()).
		Where("turn_at > ? OR turn_at IS NULL AND id > ?", op.TurnOrCreated().UnixNano(), string(op.ID)).Order("id DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return err
	}
	newer := rows[0].operation()
	has := "has succeeded"
	if newer.State == cluster.OperationOpen {
		has = "is open"
	}
	return cluster.Conflict("job %s (%s) is newer than job %s (%s) and %s: a retry would undo it (check it: aorta jobs show %[1]s)",
		newer.ID.Short(), newer.Title, op.ID.Short(), op.Title, has)
}

// Discard marks an operation that did not succeed as one that nobody will retry.
// Discarding again changes nothing.
func (s *Store) Discard(ctx context.Context, id cluster.ID, user string) (cluster.Operation, error) {
	var row operationRow
	err := s.write(ctx, "discard job", func(tx *gorm.DB) error {
		if err := tx.Where("id = ?", string(id)).Take(&row).Error; err != nil {
			return err
		}
		op := row.operation()
		switch {
		case op.State == cluster.OperationOpen:
			return cluster.Conflict("job %s (%s) has not ended (follow it: aorta jobs follow %[1]s; end it: aorta jobs abort %[1]s)", op.ID.Short(), op.Title)
		case op.State == cluster.OperationSucceeded:
			return cluster.Conflict("job %s (%s) succeeded: there is nothing to discard", op.ID.Short(), op.Title)
		case op.DiscardedAt != nil:
			return nil
		}
		now := s.now().UnixNano()
		row.DiscardedAt, row.DiscardedBy = &now, user
		err := tx.Model(&operationRow{}).Where("id = ?", row.ID).Updates(map[string]any{"discarded_at": now, "discarded_by": user}).Error
		if err != nil {
			return err
		}
		if err := forgetChanges(tx, "operation_id = ?", row.ID); err != nil {
			return err
		}
		return s.note(tx, user, "operation.discard", op.Title, "", "")
	})
	return row.operation(), err
}
