package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// DeploysKeepingSource lists the deploys whose source must stay: open ones, and of
// each app the one that ended last, if it did not succeed and was not discarded: it
// may still be retried. Of an app, or of all with "".
func (s *Store) DeploysKeepingSource(ctx context.Context, app cluster.ID) ([]cluster.Operation, error) {
	q := s.deploys(app).Where(`(state = 'open' OR state IN ('failed', 'aborted') AND discarded_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM operations AS later
			WHERE later.app_id = operations.app_id AND later.node_id = operations.node_id AND later.kind = operations.kind
				AND later.id > operations.id AND later.state IN ('succeeded', 'failed', 'aborted')))`)
	return s.operations(ctx, q.Where("EXISTS (SELECT 1 FROM apps WHERE apps.id = operations.app_id)"))
}

// Superseded lists the deploy whose source another one that ended takes the place
// of: the one of its app that ended last before it, unless that succeeded.
func (s *Store) Superseded(ctx context.Context, by cluster.Operation) ([]cluster.Operation, error) {
	before := s.deploys(by.AppID).Where("state <> 'open' AND id < ?", string(by.ID)).Select("COALESCE(MAX(id), '')")
	return s.operations(ctx, s.deploys(by.AppID).Where("state IN ('failed', 'aborted') AND id = (?)", before))
}

// Released says that a release which did not fail was made of a build.
func (s *Store) Released(ctx context.Context, build cluster.ID) (bool, error) {
	var n int64
	err := s.read.WithContext(ctx).Model(&releaseRow{}).
		Where("build_id = ? AND state <> ?", string(build), string(cluster.ReleaseFailed)).Count(&n).Error
	return n > 0, translate(err, "find the releases of build "+string(build))
}

// ArchiveBuilds lists an app's builds of archives.
func (s *Store) ArchiveBuilds(ctx context.Context, app cluster.ID) ([]cluster.ID, error) {
	var ids []cluster.ID
	err := s.read.WithContext(ctx).Model(&buildRow{}).Where("app_id = ? AND kind = ?", string(app), string(cluster.SourceArchive)).Pluck("id", &ids).Error
	return ids, translate(err, "list the archives of app "+string(app))
}

// KeptBuilds lists the builds whose sources must stay: those of each app's newest
// releases that did not fail, as many as perApp says, and of releases with traffic
// or instances.
func (s *Store) KeptBuilds(ctx context.Context, perApp int) ([]cluster.ID, error) {
	var ids []cluster.ID
	err := s.read.WithContext(ctx).Raw(`
		SELECT build_id FROM (SELECT build_id, row_number() OVER (PARTITION BY app_id ORDER BY number DESC) AS n FROM releases WHERE state <> 'failed') AS newest WHERE n <= ?
		UNION SELECT build_id FROM releases JOIN traffic ON traffic.release_id = releases.id
		UNION SELECT build_id FROM releases JOIN instances ON instances.release_id = releases.id WHERE instances.gone_at IS NULL`, perApp).Scan(&ids).Error
	return ids, translate(err, "list the builds to keep")
}

func (s *Store) deploys(app cluster.ID) *gorm.DB {
	q := s.read.Model(&operationRow{}).Where("kind = ?", string(cluster.OpDeploy))
	if app != "" {
		q = q.Where("app_id = ?", string(app))
	}
	return q
}
