package store

import (
	"context"
	"maps"
	"sort"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aorta/pacemaker/cluster"
)

type configRow struct {
	AppID  string `gorm:"primaryKey"`
	Key    string `gorm:"primaryKey"`
	Sealed string
}

func (configRow) TableName() string { return "config_vars" }

// configVars are those of an app by name, sealed. Sealing the same value twice
// gives two texts, so that a change is known by its own.
var configVars = ask{kind: "config", read: sealedConfig, put: putSealed}

func sealedConfig(tx *gorm.DB, app string) (map[string]string, error) {
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

func putSealed(tx *gorm.DB, app, key string, sealed *string) error {
	if sealed == nil {
		return tx.Where("app_id = ? AND key = ?", app, key).Delete(&configRow{}).Error
	}
	return tx.Save(&configRow{AppID: app, Key: key, Sealed: *sealed}).Error
}

// Config gives an app's config vars in the clear.
func (s *Store) Config(ctx context.Context, app cluster.ID) (map[string]string, error) {
	vars, err := s.config(s.read.WithContext(ctx), app)
	return vars, translate(err, "read config vars")
}

func (s *Store) config(tx *gorm.DB, app cluster.ID) (map[string]string, error) {
	sealed, err := sealedConfig(tx, string(app))
	if err != nil {
		return nil, err
	}
	return s.unsealed(sealed)
}

func (s *Store) unsealed(sealed map[string]string) (map[string]string, error) {
	vars := make(map[string]string, len(sealed))
	for key, text := range sealed {
		plain, err := s.sealer.Unseal(text)
		if err != nil {
			return nil, err
		}
		vars[key] = plain
	}
	return vars, nil
}

// configFor gives an app's config vars as an operation finds them.
func (s *Store) configFor(tx *gorm.DB, op cluster.Operation) (map[string]string, error) {
	sealed, err := configVars.found(tx, op.AppID, op.ID)
	if err != nil {
		return nil, err
	}
	return s.unsealed(sealed)
}

// WithConfig changes config vars in the operation's transaction. Should it not
// succeed, they go back to what they were.
func WithConfig(app cluster.App, set map[string]string, unset []string) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		before, err := sealedConfig(tx, string(app.ID))
		if err != nil {
			return err
		}
		if err := s.changeConfig(tx, app, set, unset, op.User); err != nil {
			return err
		}
		return configVars.note(tx, op, append(sortedKeys(set), unset...), before)
	}
}

// WithConfigOf does again to the config vars what an operation did that was taken
// back.
func WithConfigOf(old cluster.ID) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		rows, err := configVars.changes(tx, string(old))
		if err != nil || len(rows) == 0 {
			return err
		}
		var app appRow
		if err := tx.Where("id = ?", string(op.AppID)).Take(&app).Error; err != nil {
			return err
		}
		sealed, unset := map[string]string{}, []string{}
		for _, r := range rows {
			if r.After == nil {
				unset = append(unset, r.Key)
			} else {
				sealed[r.Key] = *r.After
			}
		}
		set, err := s.unsealed(sealed)
		if err != nil {
			return err
		}
		return WithConfig(cluster.App{ID: op.AppID, Name: app.Name}, set, unset)(s, tx, op)
	}
}

// ChangeConfig changes config vars of an app that has nothing to roll out.
func (s *Store) ChangeConfig(ctx context.Context, app cluster.App, set map[string]string, unset []string, user string) error {
	return s.write(ctx, "change config vars", func(tx *gorm.DB) error {
		return s.changeConfig(tx, app, set, unset, user)
	})
}

// changeConfig sets and unsets config vars; the event names keys, never values.
func (s *Store) changeConfig(tx *gorm.DB, app cluster.App, set map[string]string, unset []string, user string) error {
	if err := s.fits(tx, app, set, unset); err != nil {
		return err
	}
	for key, value := range set {
		sealed := s.sealer.Seal(value)
		row := configRow{AppID: string(app.ID), Key: key, Sealed: sealed}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		if err := tx.Where("app_id = ? AND key IN ?", string(app.ID), unset).Delete(&configRow{}).Error; err != nil {
			return err
		}
	}
	return s.note(tx, user, "config.change", "app "+app.Name, "unset "+strings.Join(unset, " "), "set "+strings.Join(sortedKeys(set), " "))
}

// fits refuses a change that makes the config vars more than an app may have, or
// larger than a process can start with. One that makes them fewer and smaller is fine,
// even if they stay too many or too large.
func (s *Store) fits(tx *gorm.DB, app cluster.App, set map[string]string, unset []string) error {
	vars, err := s.config(tx, app.ID)
	if err != nil {
		return err
	}
	before, count := cluster.EnvironmentSize(vars), len(vars)
	for _, key := range unset {
		delete(vars, key)
	}
	maps.Copy(vars, set)
	if cluster.EnvironmentSize(vars) <= before && len(vars) <= count {
		return nil
	}
	return cluster.ValidateEnvironment("set", vars)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
