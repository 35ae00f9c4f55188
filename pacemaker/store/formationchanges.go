package store

import (
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// formation is what was asked of each process type of an app, by its name, as an
// askedShape.
var formation = ask{kind: "formation", read: askedFormation, put: putAsked}

// askedShape is what was asked of a process type, as a change keeps it.
type askedShape struct {
	Quantity *int
	Memory   int64
	Cpus     float64
	Tags     tagsShape `json:",omitzero"`
}

func (a askedShape) formation(app cluster.ID, typ string) cluster.Formation {
	return cluster.Formation{AppID: app, Type: typ, Quantity: a.Quantity, Limits: cluster.Limits{Memory: a.Memory, CPUs: a.Cpus}, Tags: a.Tags.tags()}
}

func decodeAsked(raw string) (askedShape, error) {
	return decode[askedShape](raw, "a change of the formation")
}

func askedFormation(tx *gorm.DB, app string) (map[string]string, error) {
	var rows []formationRow
	if err := tx.Where("app_id = ?", app).Find(&rows).Error; err != nil {
		return nil, err
	}
	values := make(map[string]string, len(rows))
	for _, r := range rows {
		f, err := r.formation()
		if err != nil {
			return nil, err
		}
		values[r.Type] = encode(askedShape{f.Quantity, f.Limits.Memory, f.Limits.CPUs, tagsShapeOf(f.Tags)})
	}
	return values, nil
}

func putAsked(tx *gorm.DB, app, typ string, value *string) error {
	if value == nil {
		return tx.Where("app_id = ? AND type = ?", app, typ).Delete(&formationRow{}).Error
	}
	a, err := decodeAsked(*value)
	if err != nil {
		return err
	}
	row := formationRowOf(app, a.formation(cluster.ID(app), typ))
	return tx.Save(&row).Error
}

// isAgain says how the formation is once a change of it was taken back.
func isAgain(tx *gorm.DB, row changeRow) (string, error) {
	var was, is askedShape
	was, err := decodeAsked(*row.After)
	if err == nil && row.Before != nil {
		is, err = decodeAsked(*row.Before)
	}
	if err != nil {
		return "", err
	}
	if was.Memory != is.Memory || was.Cpus != is.Cpus {
		return "the limits of " + row.Key, nil
	}
	if !reflect.DeepEqual(was.Tags, is.Tags) {
		return "the tags of " + row.Key, nil
	}
	n, err := quantityOf(tx, row.AppID, row.Key, is.Quantity)
	return fmt.Sprintf("%s=%d", row.Key, n), err
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
		rows, err := formation.changes(tx, string(old))
		if err != nil || len(rows) == 0 {
			return err
		}
		list := make([]cluster.Formation, len(rows))
		for i, row := range rows {
			asked, err := decodeAsked(*row.After)
			if err != nil {
				return err
			}
			list[i] = asked.formation(op.AppID, row.Key)
		}
		return WithFormations(list)(s, tx, op)
	}
}
