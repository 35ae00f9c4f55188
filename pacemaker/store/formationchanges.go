package store

import (
	"fmt"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// formationChangeRow is what one operation made of one process type's formation.
type formationChangeRow struct {
	OperationID string `gorm:"primaryKey"`
	AppID       string
	Type        string  `gorm:"primaryKey"`
	Before      *string // askedShape
	After       string  // askedShape
}

func (formationChangeRow) TableName() string { return "formation_changes" }

// askedShape is what was asked of a process type, as a change keeps it.
type askedShape struct {
	Quantity *int
	Memory   int64
	Cpus     float64
}

func (a askedShape) formation(app cluster.ID, typ string) cluster.Formation {
	return cluster.Formation{AppID: app, Type: typ, Quantity: a.Quantity, Limits: cluster.Limits{Memory: a.Memory, CPUs: a.Cpus}}
}

func (r formationRow) asked() string { return encode(askedShape{r.Quantity, r.Memory, r.Cpus}) }

// formationOf finds what is asked of a process type; none where nothing is.
func formationOf(tx *gorm.DB, app, typ string) (rows []formationRow, err error) {
	err = tx.Where("app_id = ? AND type = ?", app, typ).Find(&rows).Error
	return rows, err
}

// changeFormation asks something else of a process type, and records what was
// asked before.
func changeFormation(tx *gorm.DB, op cluster.Operation, row formationRow) error {
	change := formationChangeRow{OperationID: string(op.ID), AppID: row.AppID, Type: row.Type, After: row.asked()}
	had, err := formationOf(tx, row.AppID, row.Type)
	if err != nil {
		return err
	}
	if len(had) > 0 {
		before := had[0].asked()
		change.Before = &before
	}
	if err := tx.Save(&change).Error; err != nil {
		return err
	}
	return tx.Save(&row).Error
}

// takeBackFormation undoes what an operation made of the formation, and says how
// it is then, by process type. undone says that there was a change that is not
// live. What was changed again since stays; that change, should it fail too, then
// goes back to what was asked before this one.
func (s *Store) takeBackFormation(tx *gorm.DB, op string) (is []string, undone bool, err error) {
	var rows []formationChangeRow
	if err := tx.Where("operation_id = ?", op).Order("type").Find(&rows).Error; err != nil {
		return nil, false, err
	}
	for _, row := range rows {
		later, err := passFormationOn(tx, row)
		if err != nil {
			return nil, true, err
		}
		now, err := formationOf(tx, row.AppID, row.Type)
		if err != nil {
			return nil, true, err
		}
		if later || len(now) == 0 || now[0].asked() != row.After {
			continue
		}
		text, err := putFormationBack(tx, row, now[0])
		if err != nil {
			return nil, true, err
		}
		is = append(is, text)
	}
	return is, len(rows) > 0, nil
}

// passFormationOn gives what was asked before the change to the open operation
// that changed the same next, and says whether there is one.
func passFormationOn(tx *gorm.DB, row formationChangeRow) (bool, error) {
	var next []formationChangeRow
	err := tx.Where("app_id = ? AND type = ? AND operation_id <> ? AND before = ?", row.AppID, row.Type, row.OperationID, row.After).
		Where("operation_id IN (SELECT id FROM operations WHERE state = 'open')").Order("operation_id").Limit(1).Find(&next).Error
	if err != nil || len(next) == 0 {
		return false, err
	}
	next[0].Before = row.Before
	return true, tx.Save(&next[0]).Error
}

// putFormationBack asks again what was asked before, and says what that is.
func putFormationBack(tx *gorm.DB, row formationChangeRow, now formationRow) (string, error) {
	var before askedShape
	if row.Before == nil {
		if err := tx.Delete(&now).Error; err != nil {
			return "", err
		}
	} else {
		var err error
		if before, err = decode[askedShape](*row.Before, "a change of the formation"); err != nil {
			return "", err
		}
		back := formationRow{AppID: row.AppID, Type: row.Type, Quantity: before.Quantity, Memory: before.Memory, Cpus: before.Cpus}
		if err := tx.Save(&back).Error; err != nil {
			return "", err
		}
	}
	if now.Memory != before.Memory || now.Cpus != before.Cpus {
		return "the limits of " + row.Type, nil
	}
	n, err := quantityOf(tx, row.AppID, row.Type, before.Quantity)
	return fmt.Sprintf("%s=%d", row.Type, n), err
}

// quantityOf is how many of a process type are wanted: what is asked, else what
// the release that serves wants.
func quantityOf(tx *gorm.DB, app, typ string, asked *int) (int, error) {
	if asked != nil {
		return *asked, nil
	}
	v := Snapshot{Serving: map[cluster.ID]cluster.Release{}}
	err := fillReleases(func(column string) *gorm.DB { return tx.Where(column+" = ?", app) }, &v)
	process, _ := v.Serving[cluster.ID(app)].Process(typ)
	process.Name = typ
	return process.DefaultQuantity(), err
}

// WithFormationsOf asks again of the process types what an operation asked that
// was taken back.
func WithFormationsOf(old cluster.ID) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		var rows []formationChangeRow
		if err := tx.Where("operation_id = ?", string(old)).Order("type").Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		list := make([]cluster.Formation, len(rows))
		for i, row := range rows {
			asked, err := decode[askedShape](row.After, "a change of the formation")
			if err != nil {
				return err
			}
			list[i] = asked.formation(op.AppID, row.Type)
		}
		return WithFormations(list)(s, tx, op)
	}
}
