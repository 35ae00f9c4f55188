package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// MoveOwnHosts gives each app the own host that ownHost names, and returns how
// many had another one: the cluster's domain has become another. A host that
// another app has is a conflict, and then no app is moved.
func (s *Store) MoveOwnHosts(ctx context.Context, ownHost func(app string) string) (moved int, err error) {
	err = s.write(ctx, "move the apps' own hosts", func(tx *gorm.DB) error {
		var apps []appRow
		var own []domainRow
		if err := tx.Find(&apps).Error; err != nil {
			return err
		}
		if err := tx.Where("own").Find(&own).Error; err != nil {
			return err
		}
		has := make(map[string]string, len(own))
		for _, d := range own {
			has[d.AppID] = d.Host
		}
		moved = 0
		for _, app := range apps {
			if want := ownHost(app.Name); has[app.ID] != want {
				if err := s.moveOwnHost(tx, app, has[app.ID], want); err != nil {
					return err
				}
				moved++
			}
		}
		return nil
	})
	return moved, err
}

func (s *Store) moveOwnHost(tx *gorm.DB, app appRow, from, to string) error {
	if err := cluster.ValidateHost("domain", to); err != nil {
		return err
	}
	// It may have been given the new one as a domain before.
	if err := tx.Where("app_id = ? AND (own OR host = ?)", app.ID, to).Delete(&domainRow{}).Error; err != nil {
		return err
	}
	if err := s.addDomain(tx, domainRow{Host: to, AppID: app.ID, Own: true}); err != nil {
		return err
	}
	return s.note(tx, "", "domain.move", "app "+app.Name, from, to)
}
