package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type domainRow struct {
	Host      string `gorm:"primaryKey"`
	AppID     string
	Own       bool
	Former    bool
	OfSource  bool
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (domainRow) TableName() string { return "domains" }

func (r domainRow) domain() cluster.Domain {
	return cluster.Domain{Host: r.Host, AppID: cluster.ID(r.AppID), Own: r.Own, Former: r.Former, OfSource: r.OfSource, CreatedAt: toTime(r.CreatedAt)}
}

func (s *Store) addDomain(tx *gorm.DB, row domainRow) error {
	owner, err := ownerOf(tx, row.Host)
	if err != nil {
		return err
	}
	if len(owner) > 0 {
		return hostTaken(row.Host, owner[0], row.AppID)
	}
	row.CreatedAt = s.now().UnixNano()
	return tx.Create(&row).Error
}

// ownerOf finds the app that has a host; none has one that is free.
func ownerOf(tx *gorm.DB, host string) (owner []appRow, err error) {
	err = tx.Table("apps").Select("apps.*").Joins("JOIN domains ON domains.app_id = apps.id").
		Where("domains.host = ?", host).Find(&owner).Error
	return owner, err
}

func hostTaken(host string, owner appRow, asking string) error {
	if owner.ID == asking {
		return cluster.Conflict("host %s is used by this app already", host)
	}
	return cluster.Conflict("host %s is used by app %q (remove it there first: aorta domains remove -a %s %s)", host, owner.Name, owner.Name, host)
}

// AddDomain gives an app a hostname, unless one has it. One that the app has by its
// source is its own then, whatever the source asks for later.
func (s *Store) AddDomain(ctx context.Context, app cluster.App, host, user string) (cluster.Domain, error) {
	row := domainRow{Host: host, AppID: string(app.ID)}
	err := s.write(ctx, "add domain", func(tx *gorm.DB) error {
		kept := tx.Model(&domainRow{}).Where("host = ? AND app_id = ? AND of_source", host, string(app.ID)).Update("of_source", false)
		if kept.Error != nil {
			return kept.Error
		}
		if kept.RowsAffected == 0 {
			if err := s.addDomain(tx, row); err != nil {
				return err
			}
		}
		return s.note(tx, user, "domain.add", "app "+app.Name, "", host)
	})
	row.CreatedAt = s.now().UnixNano()
	return row.domain(), err
}

// RemoveDomain removes a hostname from an app. Its own host stays.
func (s *Store) RemoveDomain(ctx context.Context, app cluster.App, host, user string) error {
	return s.write(ctx, "remove domain", func(tx *gorm.DB) error {
		var rows []domainRow
		if err := tx.Where("host = ? AND app_id = ?", host, string(app.ID)).Find(&rows).Error; err != nil {
			return err
		}
		if len(rows) == 0 {
			return cluster.NotFound("app %q has no host %s (list them with: aorta domains -a %s)", app.Name, host, app.Name)
		}
		if rows[0].Own {
			return cluster.Invalid("host", "%s is the app's own host, which goes only with its name", host)
		}
		if err := tx.Delete(&rows[0]).Error; err != nil {
			return err
		}
		return s.note(tx, user, "domain.remove", "app "+app.Name, host, "")
	})
}

// Domains lists an app's hostnames, its own one first.
func (s *Store) Domains(ctx context.Context, app cluster.ID) ([]cluster.Domain, error) {
	var rows []domainRow
	err := s.read.WithContext(ctx).Where("app_id = ?", string(app)).Order("own DESC, host").Find(&rows).Error
	if err != nil {
		return nil, translate(err, "list domains")
	}
	return mapped(rows, func(r domainRow) (cluster.Domain, error) { return r.domain(), nil })
}
