package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// RemoveNode takes a node out of the cluster: its key opens nothing any more, its
// name is free, and what ran there counts as gone. It gives the apps of that, each
// once.
func (s *Store) RemoveNode(ctx context.Context, node cluster.Node, user string) (apps []cluster.ID, err error) {
	err = s.write(ctx, "remove node", func(tx *gorm.DB) error {
		var rows []instanceRow
		if err := tx.Where("node_id = ? AND gone_at IS NULL", string(node.ID)).Order("app_id, id").Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			end := cluster.InstanceStatus{ID: cluster.ID(row.ID), State: cluster.InstanceFailed, Gone: true, Error: "its node was removed from the cluster"}
			if err := s.markGone(tx, row, end); err != nil {
				return err
			}
			if app := cluster.ID(row.AppID); len(apps) == 0 || apps[len(apps)-1] != app {
				apps = append(apps, app)
			}
		}
		done := present(tx).Model(&nodeRow{}).Where("id = ?", string(node.ID)).Updates(map[string]any{
			"removed_at": s.now().UnixNano(), "name": node.Name + removedMark + string(node.ID), "key_hash": removedMark + string(node.ID),
		})
		if done.Error != nil {
			return done.Error
		}
		if done.RowsAffected == 0 {
			return cluster.NotFound("node %q was removed already", node.Name)
		}
		return s.note(tx, user, "node.remove", "node "+node.Name, encode(node.Roles), "")
	})
	return apps, err
}

// OpenOperationsOn are the open operations that start or stop instances on a node. What
// has placed others instead of those that it was to start there does no longer.
func (s *Store) OpenOperationsOn(ctx context.Context, node cluster.ID) ([]cluster.Operation, error) {
	at := s.read.Model(&instanceRow{}).Where("node_id = ? AND gone_at IS NULL", string(node))
	return s.operations(ctx, s.read.Where("state = 'open' AND (id IN (?) OR id IN (?))",
		at.Session(&gorm.Session{}).Where("draining_at IS NULL").Select("operation_id"), at.Session(&gorm.Session{}).Select("retire_id")).Order("id"))
}

// DeleteFormerMembers deletes the join tokens that expired before a moment, and the
// nodes that were removed before it and of whose instances no row is left.
func (s *Store) DeleteFormerMembers(ctx context.Context, before time.Time) error {
	_, tokens := s.deleteInBatches(ctx, "delete expired join tokens", `
		DELETE FROM join_tokens WHERE id IN (SELECT id FROM join_tokens WHERE expires_at < ? LIMIT ?)`, before)
	_, nodes := s.deleteInBatches(ctx, "delete removed nodes", `
		DELETE FROM nodes WHERE id IN (
			SELECT old.id FROM nodes AS old WHERE old.removed_at < ? AND NOT EXISTS (SELECT 1 FROM instances WHERE instances.node_id = old.id) LIMIT ?)`, before)
	return errors.Join(tokens, nodes)
}
