package store

import (
	"slices"
	"strings"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// configChangeRow is what one operation did to one config var. Sealing the same
// value twice gives two texts, so that After names this very change.
type configChangeRow struct {
	OperationID string `gorm:"primaryKey"`
	AppID       string
	Key         string `gorm:"primaryKey"`
	Before      *string
	After       *string
}

func (configChangeRow) TableName() string { return "config_changes" }

// sealedConfig gives an app's config vars as they are kept.
func (s *Store) sealedConfig(tx *gorm.DB, app string) (map[string]string, error) {
	var rows []configRow
	if err := tx.Where("app_id = ?", app).Find(&rows).Error; err != nil {
		return nil, err
	}
	sealed := make(map[string]string, len(rows))
	for _, r := range rows {
		sealed[r.Key] = r.Sealed
	}
	return sealed, nil
}

// noteConfigChange records what an operation's change of the config vars made of
// those of before.
func (s *Store) noteConfigChange(tx *gorm.DB, op cluster.Operation, keys []string, before map[string]string) error {
	after, err := s.sealedConfig(tx, string(op.AppID))
	if err != nil {
		return err
	}
	for _, key := range keys {
		row := configChangeRow{OperationID: string(op.ID), AppID: string(op.AppID), Key: key, Before: valueAt(before, key), After: valueAt(after, key)}
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

// takeBackConfig undoes what an operation did to the config vars, and says of
// which. A var that was changed again since stays; that change, should it fail
// too, then goes back to the value of before this one.
func (s *Store) takeBackConfig(tx *gorm.DB, op string) ([]string, error) {
	var rows []configChangeRow
	if err := tx.Where("operation_id = ?", op).Order("key").Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	now, err := s.sealedConfig(tx, rows[0].AppID)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, row := range rows {
		later, err := passOn(tx, row)
		if err != nil {
			return nil, err
		}
		if later || !sameValue(valueAt(now, row.Key), row.After) {
			continue
		}
		if err := putBack(tx, row); err != nil {
			return nil, err
		}
		keys = append(keys, row.Key)
	}
	return keys, nil
}

// configFor gives an app's config vars as an operation finds them when its turn
// has come: without what open operations behind it, which may fail yet, have made
// of them.
func (s *Store) configFor(tx *gorm.DB, op cluster.Operation) (map[string]string, error) {
	sealed, err := s.sealedConfig(tx, string(op.AppID))
	if err != nil {
		return nil, err
	}
	var changes []configChangeRow
	if err := behind(tx, op.AppID, op.ID).Find(&changes).Error; err != nil {
		return nil, err
	}
	for _, c := range changes {
		if c.Before == nil {
			delete(sealed, c.Key)
		} else {
			sealed[c.Key] = *c.Before
		}
	}
	return s.unsealed(sealed)
}

// behind finds the changes that an app's open operations behind one have made, the
// last one first, as they are to be undone. Ids rise with time.
func behind(tx *gorm.DB, app, op cluster.ID) *gorm.DB {
	return tx.Where("app_id = ? AND operation_id > ?", string(app), string(op)).
		Where("operation_id IN (SELECT id FROM operations WHERE state = 'open')").Order("operation_id DESC")
}

// passOn gives the change's value of before to the open operation that changed
// the same var next, and says whether there is one.
func passOn(tx *gorm.DB, row configChangeRow) (bool, error) {
	var next []configChangeRow
	err := tx.Where("app_id = ? AND key = ? AND operation_id <> ? AND before IS NOT DISTINCT FROM ?", row.AppID, row.Key, row.OperationID, row.After).
		Where("operation_id IN (SELECT id FROM operations WHERE state = 'open')").Order("operation_id").Limit(1).Find(&next).Error
	if err != nil || len(next) == 0 {
		return false, err
	}
	next[0].Before = row.Before
	return true, tx.Save(&next[0]).Error
}

func putBack(tx *gorm.DB, row configChangeRow) error {
	if row.Before == nil {
		return tx.Where("app_id = ? AND key = ?", row.AppID, row.Key).Delete(&configRow{}).Error
	}
	return tx.Save(&configRow{AppID: row.AppID, Key: row.Key, Sealed: *row.Before}).Error
}

func sameValue(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// WithConfigOf does again to the config vars what an operation did that was taken
// back.
func WithConfigOf(old cluster.ID) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		var rows []configChangeRow
		if err := tx.Where("operation_id = ?", string(old)).Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		var app appRow
		if err := tx.Where("id = ?", string(op.AppID)).Take(&app).Error; err != nil {
			return err
		}
		set, unset := map[string]string{}, []string{}
		for _, r := range rows {
			if r.After == nil {
				unset = append(unset, r.Key)
				continue
			}
			plain, err := s.sealer.Unseal(*r.After)
			if err != nil {
				return err
			}
			set[r.Key] = plain
		}
		return WithConfig(cluster.App{ID: op.AppID, Name: app.Name}, set, unset)(s, tx, op)
	}
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
