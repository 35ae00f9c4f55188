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

// Config gives an app's config vars in the clear.
func (s *Store) Config(ctx context.Context, app cluster.ID) (map[string]string, error) {
	vars, err := s.config(s.read.WithContext(ctx), app)
	return vars, translate(err, "read config vars")
}

func (s *Store) config(tx *gorm.DB, app cluster.ID) (map[string]string, error) {
	sealed, err := s.sealedConfig(tx, string(app))
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

// changeConfig sets and unsets config vars; the event names keys, never values.
func (s *Store) changeConfig(tx *gorm.DB, app cluster.App, set map[string]string, unset []string, user string) error {
	if err := s.fits(tx, app, set, unset); err != nil {
		return err
	}
	for key, value := range set {
		sealed, err := s.sealer.Seal(value)
		if err != nil {
			return err
		}
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

// fits refuses a change that makes the config vars larger than a process can
// start with. One that makes them smaller is fine, even if they stay too large.
func (s *Store) fits(tx *gorm.DB, app cluster.App, set map[string]string, unset []string) error {
	vars, err := s.config(tx, app.ID)
	if err != nil {
		return err
	}
	before := cluster.EnvironmentSize(vars)
	for _, key := range unset {
		delete(vars, key)
	}
	maps.Copy(vars, set)
	if cluster.EnvironmentSize(vars) <= before {
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
