package store

import (
	"slices"
	"strings"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// changeRow is what one operation did to one value that is asked of its app.
type changeRow struct {
	OperationID string `gorm:"primaryKey"`
	Kind        string `gorm:"primaryKey"`
	Key         string `gorm:"primaryKey"`
	AppID       string
	Before      *string // nil: there was none
	After       *string // nil: there is to be none
}

func (changeRow) TableName() string { return "operation_changes" }

// ask is one kind of values that are asked of an app, each by a key. An
// operation changes them as it begins, before they are live: one that fails takes
// back what it did, and a retry does it again.
type ask struct {
	kind string
	read func(tx *gorm.DB, app string) (map[string]string, error)
	put  func(tx *gorm.DB, app, key string, value *string) error // nil: none any more
}

// note records what an operation's change made of the values of before.
func (a ask) note(tx *gorm.DB, op cluster.Operation, keys []string, before map[string]string) error {
	after, err := a.read(tx, string(op.AppID))
	if err != nil {
		return err
	}
	for _, key := range keys {
		row := changeRow{OperationID: string(op.ID), Kind: a.kind, Key: key, AppID: string(op.AppID), Before: valueAt(before, key), After: valueAt(after, key)}
		if err := tx.Save(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

func valueAt(m map[string]string, key string) *string {
	if v, ok := m[key]; ok {
		return &v
	}
	return nil
}

// changes are those of one operation that may be taken back, or done again.
func (a ask) changes(tx *gorm.DB, op string) (rows []changeRow, err error) {
	err = tx.Where("operation_id = ? AND kind = ?", op, a.kind).Order("key").Find(&rows).Error
	return rows, err
}

// takeBack undoes what an operation did, and says what of that. A value that was
// changed again since stays; that change, should it fail too, then goes back to
// the value of before this one.
func (a ask) takeBack(tx *gorm.DB, rows []changeRow) (undone []changeRow, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	now, err := a.read(tx, rows[0].AppID)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		later, err := passOn(tx, row)
		if err != nil {
			return nil, err
		}
		if later || !sameValue(valueAt(now, row.Key), row.After) {
			continue
		}
		if err := a.put(tx, row.AppID, row.Key, row.Before); err != nil {
			return nil, err
		}
		undone = append(undone, row)
	}
	return undone, nil
}

func sameValue(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// passOn gives the change's value of before to the open operation that changed
// the same next, and says whether there is one.
func passOn(tx *gorm.DB, row changeRow) (bool, error) {
	var next []changeRow
	err := ofOpen(tx).Where("app_id = ? AND kind = ? AND key = ? AND operation_id <> ?", row.AppID, row.Kind, row.Key, row.OperationID).
		Where("before IS NOT DISTINCT FROM ?", row.After).Order("operation_id").Limit(1).Find(&next).Error
	if err != nil || len(next) == 0 {
		return false, err
	}
	next[0].Before = row.Before
	return true, tx.Save(&next[0]).Error
}

// ofOpen narrows changes down to those of open operations.
func ofOpen(tx *gorm.DB) *gorm.DB {
	return tx.Where("operation_id IN (SELECT id FROM operations WHERE state = 'open')")
}

// found gives the values as an operation finds them when its turn has come: without
// what open operations behind it, which may fail yet, have made of them. Ids rise
// with time, and the last one is undone first.
func (a ask) found(tx *gorm.DB, app, op cluster.ID) (map[string]string, error) {
	values, err := a.read(tx, string(app))
	if err != nil {
		return nil, err
	}
	var behind []changeRow
	err = ofOpen(tx).Where("app_id = ? AND kind = ? AND operation_id > ?", string(app), a.kind, string(op)).
		Order("operation_id DESC").Find(&behind).Error
	for _, c := range behind {
		if c.Before == nil {
			delete(values, c.Key)
		} else {
			values[c.Key] = *c.Before
		}
	}
	return values, err
}

// forgetChanges drops what was kept to take operations back, or to make them again.
func forgetChanges(tx *gorm.DB, where string, args ...any) error {
	return tx.Where(where, args...).Delete(&changeRow{}).Error
}

// takenBack is what a person reads behind the cause of a failed change: what is as
// it was before.
func takenBack(cause, what string, names []string) string {
	if len(names) == 0 {
		return cause
	}
	slices.Sort(names)
	named := strings.Join(names[:min(5, len(names))], ", ")
	if len(names) > 5 {
		named += " …"
	}
	return strings.TrimSuffix(cause, ".") + ". The " + what + " as before: " + named + " (a retry changes that again)"
}
