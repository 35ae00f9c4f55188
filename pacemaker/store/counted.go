package store

import (
	"context"

	"aorta/pacemaker/cluster"
)

// CountedApps are the ids of all apps, those that are being destroyed too.
func (s *Store) CountedApps(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.read.WithContext(ctx).Model(&appRow{}).Pluck("id", &ids).Error
	return ids, translate(err, "list the apps that are counted for")
}

// CountedNames are what requests of an app can be counted by: the ids of its releases
// and instances, its process types, and the ids of nodes.
func (s *Store) CountedNames(ctx context.Context, app cluster.ID) ([]string, error) {
	const of = `
		SELECT id FROM releases WHERE app_id = @app
		UNION SELECT type FROM formations WHERE app_id = @app
		UNION SELECT id FROM instances WHERE app_id = @app AND gone_at IS NULL
		UNION SELECT type FROM instances WHERE app_id = @app AND gone_at IS NULL
		UNION SELECT id FROM instances WHERE app_id = @app AND gone_at IS NOT NULL
		UNION SELECT type FROM instances WHERE app_id = @app AND gone_at IS NOT NULL
		UNION SELECT id FROM nodes`
	var names []string
	err := s.read.WithContext(ctx).Raw(of, map[string]any{"app": string(app)}).Scan(&names).Error
	return names, translate(err, "list what an app is counted by")
}
