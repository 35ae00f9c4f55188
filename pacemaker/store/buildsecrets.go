package store

import (
	"context"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aorta/pacemaker/cluster"
)

type buildSecretRow struct {
	AppID  string `gorm:"primaryKey"`
	Name   string `gorm:"primaryKey"`
	Sealed string
}

func (buildSecretRow) TableName() string { return "build_secrets" }

// BuildSecrets gives what an app's builds may mount, by name, in the clear. It is
// for builders alone.
func (s *Store) BuildSecrets(ctx context.Context, app cluster.ID) (map[string]string, error) {
	var rows []buildSecretRow
	if err := s.read.WithContext(ctx).Where("app_id = ?", string(app)).Find(&rows).Error; err != nil {
		return nil, translate(err, "read build secrets")
	}
	secrets := make(map[string]string, len(rows))
	for _, r := range rows {
		plain, err := s.sealer.Unseal(r.Sealed)
		if err != nil {
			return nil, translate(err, "unseal a build secret")
		}
		secrets[r.Name] = plain
	}
	return secrets, nil
}

// BuildSecretNames gives their names, sorted.
func (s *Store) BuildSecretNames(ctx context.Context, app cluster.ID) ([]string, error) {
	names, err := buildSecretNames(s.read.WithContext(ctx), app)
	return names, translate(err, "list build secrets")
}

func buildSecretNames(tx *gorm.DB, app cluster.ID) ([]string, error) {
	var names []string
	err := tx.Model(&buildSecretRow{}).Where("app_id = ?", string(app)).Order("name").Pluck("name", &names).Error
	return names, err
}

// ChangeBuildSecrets sets and unsets build secrets and gives the names that there
// are then. The event names them, never values.
func (s *Store) ChangeBuildSecrets(ctx context.Context, app cluster.App, set map[string]string, unset []string, user string) ([]string, error) {
	var names []string
	err := s.write(ctx, "change build secrets", func(tx *gorm.DB) error {
		for name, value := range set {
			sealed := s.sealer.Seal(value)
			row := buildSecretRow{AppID: string(app.ID), Name: name, Sealed: sealed}
			if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
				return err
			}
		}
		if err := unsetBuildSecrets(tx, app, unset); err != nil {
			return err
		}
		var err error
		if names, err = buildSecretNames(tx, app.ID); err != nil {
			return err
		}
		if len(names) > cluster.MaxSecrets {
			return cluster.Invalid("set", "there would be %d build secrets; the limit is %d", len(names), cluster.MaxSecrets)
		}
		return s.note(tx, user, "build-secrets.change", "app "+app.Name, "unset "+strings.Join(unset, " "), "set "+strings.Join(sortedKeys(set), " "))
	})
	return names, err
}

// unsetBuildSecrets deletes secrets, and none of them when one is not there.
func unsetBuildSecrets(tx *gorm.DB, app cluster.App, unset []string) error {
	for _, name := range unset {
		gone := tx.Where("app_id = ? AND name = ?", string(app.ID), name).Delete(&buildSecretRow{})
		switch {
		case gone.Error != nil:
			return gone.Error
		case gone.RowsAffected == 0:
			return cluster.NotFound("app %q has no build secret %q (list them: aorta builds secrets -a %s)", app.Name, cluster.Clip(name), app.Name)
		}
	}
	return nil
}
