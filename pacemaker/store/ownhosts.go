package store

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// Moved is what another domain of the cluster did to hosts.
type Moved struct {
	Apps  int       // that had their own host in another domain
	Taken []AppHost // what other apps were given and is now the own host of its app
}

// MoveOwnHosts gives each app the own host that ownHost names: the cluster's domain
// has become another. The one that an app had stays its too, as a former one. A host
// that another app was given goes to the app of that name: nobody's domain keeps the
// cluster from starting.
func (s *Store) MoveOwnHosts(ctx context.Context, ownHost func(app string) string) (moved Moved, err error) {
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
		moved = Moved{}
		for _, app := range apps {
			if want := ownHost(app.Name); has[app.ID] != want {
				taken, err := s.moveOwnHost(tx, app, has[app.ID], want)
				if err != nil {
					return err
				}
				moved.Apps++
				moved.Taken = append(moved.Taken, taken...)
			}
		}
		return nil
	})
	return moved, err
}

// AppHost is a host and the name of the app that has it.
type AppHost struct{ Host, App string }

// FormerHosts lists what apps have from earlier domains of the cluster, by app.
func (s *Store) FormerHosts(ctx context.Context) ([]AppHost, error) {
	var list []AppHost
	err := s.read.WithContext(ctx).Table("domains").Select("domains.host, apps.name AS app").Joins("JOIN apps ON apps.id = domains.app_id").
		Where("domains.former AND NOT apps.destroying").Order("apps.name, domains.host").Scan(&list).Error
	return list, translate(err, "list the hosts of earlier domains")
}

// HeldHosts lists the wildcards that answer for nobody, see cluster.Held.
func (s *Store) HeldHosts(ctx context.Context) ([]AppHost, error) {
	var rows []domainRow
	if err := s.read.WithContext(ctx).Where("own OR former").Find(&rows).Error; err != nil {
		return nil, translate(err, "list the hosts of the cluster's domains")
	}
	domains, err := mapped(rows, func(r domainRow) (cluster.Domain, error) { return r.domain(), nil })
	if err != nil {
		return nil, err
	}
	var list []AppHost
	err = given(s.read.WithContext(ctx)).Where("domains.host IN ?", slices.Collect(maps.Keys(cluster.Held(domains)))).Scan(&list).Error
	return list, translate(err, "list the wildcards over the cluster's domains")
}

// given are the hosts that apps were given, with their names.
func given(db *gorm.DB) *gorm.DB {
	return db.Table("domains").Select("domains.host, apps.name AS app").Joins("JOIN apps ON apps.id = domains.app_id").
		Where("NOT domains.own AND NOT domains.former").Order("apps.name, domains.host")
}

// moveOwnHost leaves the app the host that it had: people and programs know that.
func (s *Store) moveOwnHost(tx *gorm.DB, app appRow, from, to string) ([]AppHost, error) {
	if err := cluster.ValidateHost("domain", to); err != nil {
		return nil, err
	}
	if err := tx.Model(&domainRow{}).Where("app_id = ? AND own", app.ID).Updates(map[string]any{"own": false, "former": true}).Error; err != nil {
		return nil, err
	}
	taken, err := s.takeHost(tx, app, to)
	if err != nil {
		return nil, err
	}
	if err := s.addOwnHost(tx, app.ID, to); err != nil {
		return nil, err
	}
	return taken, s.note(tx, "", "domain.move", "app "+app.Name, from, to)
}

// takeHost takes a host from another app. Who had it by its name of then does not
// hear of it: it is the name of this one now.
func (s *Store) takeHost(tx *gorm.DB, app appRow, host string) ([]AppHost, error) {
	var taken []AppHost
	if err := given(tx).Where("domains.host = ? AND domains.app_id <> ?", host, app.ID).Scan(&taken).Error; err != nil {
		return nil, err
	}
	for _, t := range taken {
		if err := s.note(tx, "", "domain.remove", "app "+t.App, host, ""); err != nil {
			return nil, err
		}
	}
	return taken, tx.Where("host = ? AND app_id <> ?", host, app.ID).Delete(&domainRow{}).Error
}

// addOwnHost gives an app its own host, which it may have as another one already.
func (s *Store) addOwnHost(tx *gorm.DB, app, host string) error {
	if err := tx.Where("app_id = ? AND host = ?", app, host).Delete(&domainRow{}).Error; err != nil {
		return err
	}
	return s.addDomain(tx, domainRow{Host: host, AppID: app, Own: true})
}
