package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// MaxOpen is how many operations of an app that people asked for may be open: each
// waits for those before it, and is shown, planted and looked at until it ends.
const MaxOpen = 50

// refuseCrowd refuses one more of what people ask for. What takes away gets in: it
// is the way out.
func refuseCrowd(tx *gorm.DB, op cluster.Operation) error {
	if op.AppID == "" || op.User == "" || op.Kind == cluster.OpStop || op.Kind == cluster.OpDestroy {
		return nil
	}
	var n int64
	err := tx.Model(&operationRow{}).Where("app_id = ? AND state = 'open' AND username <> ''", string(op.AppID)).Count(&n).Error
	if err != nil || n < MaxOpen {
		return err
	}
	var app appRow
	if err := tx.Where("id = ?", string(op.AppID)).Take(&app).Error; err != nil {
		return err
	}
	return cluster.TooMany(
		"app %q has as many open jobs as it may, %d: try again when some have ended, or cancel those that are not needed (aorta jobs -a %[1]s; aorta jobs abort JOB)", app.Name, n)
}

// BeginOrJoin is Begin, unless the app's last operation of those that take turns
// waits for its own, and would do the same: that one is given then.
func (s *Store) BeginOrJoin(ctx context.Context, op cluster.Operation) (cluster.Operation, error) {
	err := s.write(ctx, "begin "+string(op.Kind), func(tx *gorm.DB) error {
		same, err := lastWaiting(tx, op)
		switch {
		case err != nil:
			return err
		case same == nil:
			return s.begin(tx, op)
		}
		op = same.operation()
		return nil
	})
	return op, err
}

// TakeTurn gives an open operation its turn, behind those that have theirs, unless it
// has one.
func (s *Store) TakeTurn(ctx context.Context, id cluster.ID) (cluster.Operation, error) {
	var row operationRow
	err := s.write(ctx, "take a turn", func(tx *gorm.DB) error {
		if err := tx.Where("id = ?", string(id)).Take(&row).Error; err != nil {
			return err
		}
		op := row.operation()
		if err := op.StillOpen(); err != nil || op.Turn != nil {
			return err
		}
		turn, err := s.nextTurn(tx, op.AppID)
		if err != nil {
			return err
		}
		row.TurnAt = turn
		return tx.Model(&operationRow{}).Where("id = ?", row.ID).Update("turn_at", turn).Error
	})
	return row.operation(), err
}

// nextTurn is now, but behind every turn that an open operation of the app has: none
// gets in front of one that may be at work, whatever the clock does.
func (s *Store) nextTurn(tx *gorm.DB, app cluster.ID) (*int64, error) {
	var last *int64
	err := tx.Model(&operationRow{}).Where("app_id = ? AND state = 'open'", string(app)).Select("max(turn_at)").Scan(&last).Error
	turn := s.now().UnixNano()
	if last != nil {
		turn = max(turn, *last+1)
	}
	return &turn, err
}

// lastWaiting finds the app's last operation that takes turns, if it has not got its
// own and is the same as op; nil for none.
func lastWaiting(tx *gorm.DB, op cluster.Operation) (*operationRow, error) {
	var last []operationRow
	err := tx.Where("app_id = ? AND state = 'open' AND exclusive AND turn_at IS NOT NULL", string(op.AppID)).Order("turn_at DESC, id DESC").Limit(2).Find(&last).Error
	if err != nil || len(last) < 2 { // the only one has its turn
		return nil, err
	}
	same := last[0].Kind == string(op.Kind) && last[0].Title == op.Title && last[0].Args == string(op.Args) && last[0].AbortReason == ""
	if !same {
		return nil, nil
	}
	return &last[0], nil
}
