package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// MayRepeat says why an operation can't be asked for again, with the next step:
// it has not ended, it succeeded, it was discarded, the platform does it anyway,
// what it is about is gone, or something newer would be undone.
func (s *Store) MayRepeat(ctx context.Context, id cluster.ID) error {
	return translate(mayRepeat(s.read.WithContext(ctx), id), "look at job "+string(id))
}

// Repeats makes sure once more, in the operation's own transaction, that it may
// repeat the other one: of two people who ask at once, one gets it.
func Repeats(id cluster.ID) Part {
	return func(_ *Store, tx *gorm.DB, op cluster.Operation) error {
		return mayRepeat(tx.Where("id <> ?", string(op.ID)), id)
	}
}

// mayRepeat asks among the rows that db shows.
func mayRepeat(db *gorm.DB, id cluster.ID) error {
	db = db.Session(&gorm.Session{})
	var row operationRow
	if err := db.Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return err
	}
	op := row.operation()
	name := op.ID.Short()
	switch {
	case op.Kind.Recurring():
		return cluster.Conflict("job %s (%s) is the platform's own: the platform repeats it by itself", name, op.Title)
	case op.State == cluster.OperationOpen:
		return cluster.Conflict("job %s (%s) has not ended (follow it: aorta jobs follow %[1]s; end it: aorta jobs abort %[1]s)", name, op.Title)
	case op.State == cluster.OperationSucceeded:
		return cluster.Conflict("job %s (%s) succeeded: there is nothing to retry", name, op.Title)
	case op.DiscardedAt != nil:
		return cluster.Conflict("job %s (%s) was discarded by %s: ask for it anew", name, op.Title, op.DiscardedBy)
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
	var n int64
	if err := db.Session(&gorm.Session{NewDB: true}).Model(model).Where("id = ?", string(id)).Count(&n).Error; err != nil {
		return err
	}
	if n == 0 {
		return cluster.Conflict("the %s of job %s (%s) is gone: there is nothing left to do it to", what, op.ID.Short(), op.Title)
	}
	return nil
}

// nothingNewer refuses to go back behind what was asked, and done, since.
func nothingNewer(db *gorm.DB, op cluster.Operation) error {
	var rows []operationRow
	err := db.Where("app_id = ? AND node_id = ? AND kind IN ? AND id > ? AND state IN ('open', 'succeeded')",
		string(op.AppID), string(op.NodeID), op.Kind.Family(), string(op.ID)).Order("id DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return err
	}
	newer := rows[0].operation()
	has := "has succeeded"
	if newer.State == cluster.OperationOpen {
		has = "is open"
	}
	return cluster.Conflict("job %s (%s) is newer than job %s (%s) and %s: a retry would go back behind it (look at it: aorta jobs show %[1]s)",
		newer.ID.Short(), newer.Title, op.ID.Short(), op.Title, has)
}

// Discard lets go of an operation that did not succeed. Asked again, it changes
// nothing.
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
		return s.note(tx, user, "operation.discard", op.Title, "", "")
	})
	return row.operation(), err
}
