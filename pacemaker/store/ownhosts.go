package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// MoveOwnHosts gives each app the own host that ownHost names, and returns how
// many had another one: the cluster's domain has become another. Those stay the
// apps' too, as former ones. A host that another app was given is a conflict, and
// then no app is moved.
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

// FormerHost is a host that an app has from an earlier domain of the cluster.
type FormerHost struct{ Host, App string }

// FormerHosts lists all of them, by app.
func (s *Store) FormerHosts(ctx context.Context) ([]FormerHost, error) {
	var list []FormerHost
	err := s.read.WithContext(ctx).Table("domains").Select("domains.host, apps.name AS app").Joins("JOIN apps ON apps.id = domains.app_id").
		Where("domains.former AND NOT apps.destroying").Order("apps.name, domains.host").Scan(&list).Error
	return list, translate(err, "list the hosts of earlier domains")
}

// moveOwnHost leaves the app the host that it had: people and programs know that.
func (s *Store) moveOwnHost(tx *gorm.DB, app appRow, from, to string) error {
	if err := cluster.ValidateHost("domain", to); err != nil {
		return err
	}
	if err := tx.Model(&domainRow{}).Where("app_id = ? AND own", app.ID).Updates(map[string]any{"own": false, "former": true}).Error; err != nil {
		return err
	}
	// Another app may have had it by its name of then: now it is this one's.
	if err := tx.Where("host = ? AND former", to).Delete(&domainRow{}).Error; err != nil {
		return err
	}
	if err := s.addOwnHost(tx, app.ID, to); err != nil {
		return err
	}
	return s.note(tx, "", "domain.move", "app "+app.Name, from, to)
}

// addOwnHost gives an app its own host, which it may have as another one already.
func (s *Store) addOwnHost(tx *gorm.DB, app, host string) error {
	if err := tx.Where("app_id = ? AND host = ?", app, host).Delete(&domainRow{}).Error; err != nil {
		return err
	}
	return s.addDomain(tx, domainRow{Host: host, AppID: app, Own: true})
}
