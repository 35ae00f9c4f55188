package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// SourceKeepers lists the deploys whose source must stay: open ones, and those
// that may still be asked for again. Of an app, or of all with "".
func (s *Store) SourceKeepers(ctx context.Context, app cluster.ID) ([]cluster.Operation, error) {
	q := s.deploys(app).Where(`(state = 'open' OR state IN ('failed', 'aborted') AND discarded_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM operations AS later
			WHERE later.app_id = operations.app_id AND later.node_id = operations.node_id AND later.kind = operations.kind
				AND later.id > operations.id AND later.state = 'succeeded'))`)
	return s.operations(ctx, q.Where("EXISTS (SELECT 1 FROM apps WHERE apps.id = operations.app_id)"))
}

// Superseded lists the deploys that a successful one has made pointless: those
// of its app that ended without success since the success before it.
func (s *Store) Superseded(ctx context.Context, by cluster.Operation) ([]cluster.Operation, error) {
	before := s.deploys(by.AppID).Where("state = 'succeeded' AND id < ?", string(by.ID)).Select("COALESCE(MAX(id), '')")
	return s.operations(ctx, s.deploys(by.AppID).
		Where("state IN ('failed', 'aborted') AND id < ? AND id > (?)", string(by.ID), before))
}

func (s *Store) deploys(app cluster.ID) *gorm.DB {
	q := s.read.Model(&operationRow{}).Where("kind = ?", string(cluster.OpDeploy))
	if app != "" {
		q = q.Where("app_id = ?", string(app))
	}
	return q
}
