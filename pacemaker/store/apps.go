package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type appRow struct {
	ID             string `gorm:"primaryKey"`
	WorkspaceID    string
	Name           string
	Stopped        bool
	Destroying     bool
	RequestTimeout int64  // seconds
	IdleTimeout    int64  // seconds
	MaxBody        int64  // bytes
	Grants         string // names with spaces between
	CreatedAt      int64  `gorm:"autoCreateTime:false"`
	Version        int
}

func (appRow) TableName() string { return "apps" }

func (r appRow) app() cluster.App {
	return cluster.App{
		ID: cluster.ID(r.ID), Workspace: cluster.ID(r.WorkspaceID), Name: r.Name,
		Stopped: r.Stopped, Destroying: r.Destroying, Requests: r.requests(), Grants: r.granted(), CreatedAt: toTime(r.CreatedAt), Version: r.Version,
	}
}

// CreateApp makes an app with its own host and notes who did it.
func (s *Store) CreateApp(ctx context.Context, name, ownHost, user string) (cluster.App, error) {
	row := appRow{ID: string(cluster.NewID()), Name: name, CreatedAt: s.now().UnixNano(), Version: 1}
	err := s.write(ctx, "create app", func(tx *gorm.DB) error {
		if err := tx.Model(&workspaceRow{}).Select("id").Where("name = ?", DefaultWorkspace).Scan(&row.WorkspaceID).Error; err != nil {
			return err
		}
		if err := freeAppName(tx, name); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := s.addOwnHost(tx, row.ID, ownHost); err != nil {
			return err
		}
		return s.note(tx, user, "app.create", "app "+name, "", "")
	})
	return row.app(), err
}

func freeAppName(tx *gorm.DB, name string) error {
	var n int64
	if err := tx.Model(&appRow{}).Where("name = ?", name).Count(&n).Error; err != nil {
		return err
	}
	if n > 0 {
		return cluster.Conflict("app %q exists already (choose another name, or check it with: aorta apps info -a %s)", name, name)
	}
	return nil
}

// App finds an app by its name.
func (s *Store) App(ctx context.Context, name string) (cluster.App, error) {
	var rows []appRow
	if err := s.read.WithContext(ctx).Where("name = ?", name).Limit(1).Find(&rows).Error; err != nil {
		return cluster.App{}, translate(err, "find app")
	}
	if len(rows) == 0 {
		return cluster.App{}, cluster.NotFound("app %q does not exist (create it with: aorta apps create NAME; list them with: aorta apps)", name)
	}
	return rows[0].app(), nil
}

// AppByID finds an app by its id.
func (s *Store) AppByID(ctx context.Context, id cluster.ID) (cluster.App, error) {
	var row appRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return cluster.App{}, translate(err, "find app "+string(id))
	}
	return row.app(), nil
}

// Apps lists apps by name, those after the given name.
func (s *Store) Apps(ctx context.Context, after string, limit int) ([]cluster.App, error) {
	var rows []appRow
	err := s.read.WithContext(ctx).Where("name > ?", after).Order("name").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, translate(err, "list apps")
	}
	return mapped(rows, func(r appRow) (cluster.App, error) { return r.app(), nil })
}

// RenameApp changes an app's name and its own host. A version other than 0
// must be the present one.
func (s *Store) RenameApp(ctx context.Context, id cluster.ID, name, ownHost string, version int, user string) error {
	return s.write(ctx, "rename app", func(tx *gorm.DB) error {
		var row appRow
		if err := tx.Where("id = ?", string(id)).Take(&row).Error; err != nil {
			return err
		}
		if version != 0 && version != row.Version {
			return cluster.Conflict("app %q was changed by someone else meanwhile (now version %d, not %d): read it again and repeat", row.Name, row.Version, version)
		}
		if row.Name == name {
			return nil
		}
		if err := freeAppName(tx, name); err != nil {
			return err
		}
		if err := tx.Model(&row).Updates(map[string]any{"name": name, "version": row.Version + 1}).Error; err != nil {
			return err
		}
		if err := tx.Where("app_id = ? AND own", string(id)).Delete(&domainRow{}).Error; err != nil {
			return err
		}
		if err := s.addOwnHost(tx, row.ID, ownHost); err != nil {
			return err
		}
		return s.note(tx, user, "app.rename", "app "+row.Name, row.Name, name)
	})
}

// DeleteApp removes an app and all that hangs on it. Its instances stay until
// their hearts have reported them gone.
func (s *Store) DeleteApp(ctx context.Context, id cluster.ID) error {
	return s.write(ctx, "delete app", func(tx *gorm.DB) error {
		if err := tx.Where("id = ?", string(id)).Delete(&appRow{}).Error; err != nil {
			return err
		}
		return s.drainOrphans(tx)
	})
}

// DrainOrphans has the instances stopped whose app is gone.
func (s *Store) DrainOrphans(ctx context.Context) error {
	return s.write(ctx, "drain the instances of removed apps", s.drainOrphans)
}

func (s *Store) drainOrphans(tx *gorm.DB) error {
	return tx.Model(&instanceRow{}).
		Where("gone_at IS NULL AND state IN ? AND app_id NOT IN (SELECT id FROM apps)", wantedStates).
		Updates(map[string]any{"state": string(cluster.InstanceDraining), "draining_at": s.now().UnixNano()}).Error
}
