package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// NodeChange is a node that comes into another state.
type NodeChange struct {
	Node   cluster.Node
	To     cluster.NodeState
	Losses int    // with this one, when it is dead now
	User   string // who says so; empty for the platform
	Why    string // for the record
	// Silence is what a node is dead by that nobody has declared to be.
	Silence time.Duration
}

// SetNodeState records that a node is in another state, unless it is in another one
// than it was or removed: then somebody else has said so meanwhile, and done is false.
func (s *Store) SetNodeState(ctx context.Context, c NodeChange) (done bool, err error) {
	err = s.write(ctx, "set a node's state", func(tx *gorm.DB) error {
		now := s.now().UnixNano()
		set := map[string]any{"state": string(c.To), "declared_dead": c.To == cluster.NodeDead && c.User != "", "silent_for": 0}
		switch {
		case c.To == cluster.NodeDead:
			set["losses"], set["lost_at"], set["silent_for"] = c.Losses, now, int64(c.Silence)
		case c.Node.State == cluster.NodeDead:
			set["returned_at"] = now
		}
		res := present(tx).Model(&nodeRow{}).Where("id = ? AND state = ?", string(c.Node.ID), string(c.Node.State)).Updates(set)
		done = res.RowsAffected > 0
		if passing := c.To != cluster.NodeDead && c.Node.State != cluster.NodeDead; res.Error != nil || !done || passing {
			return res.Error
		}
		return s.note(tx, c.User, "node."+string(c.To), "node "+c.Node.Name, string(c.Node.State), c.Why)
	})
	return done, err
}

// DeclareDead records that a person has said so of a node that is dead by its silence;
// done is false if it is not any more.
func (s *Store) DeclareDead(ctx context.Context, node cluster.Node, user, why string) (done bool, err error) {
	err = s.write(ctx, "declare a node dead", func(tx *gorm.DB) error {
		res := present(tx).Model(&nodeRow{}).Where("id = ? AND state = ?", string(node.ID), string(cluster.NodeDead)).Update("declared_dead", true)
		if done = res.RowsAffected > 0; res.Error != nil || !done {
			return res.Error
		}
		return s.note(tx, user, "node.dead", "node "+node.Name, string(cluster.NodeDead), why)
	})
	return done, err
}

// Undrain lets a node have instances again.
func (s *Store) Undrain(ctx context.Context, node cluster.Node, user string) error {
	return s.write(ctx, "undrain node", func(tx *gorm.DB) error {
		if err := setDraining(tx, node.ID, false); err != nil {
			return err
		}
		return s.note(tx, user, "node.undrain", "node "+node.Name, "", "")
	})
}

func setDraining(tx *gorm.DB, node cluster.ID, draining bool) error {
	return present(tx).Model(&nodeRow{}).Where("id = ?", string(node)).Update("draining", draining).Error
}

// DrainSurplus marks instances of an app as draining that are beyond what is wanted,
// while no operation is at work on the app. What made them so is the operation that
// started the last one of those that do their work.
func (s *Store) DrainSurplus(ctx context.Context, app cluster.ID, ids []cluster.ID) error {
	return s.write(ctx, "drain what is beyond what is wanted", func(tx *gorm.DB) error {
		var open int64
		err := tx.Model(&operationRow{}).Where("app_id = ? AND state = 'open' AND (exclusive AND turn_at IS NOT NULL OR kind = ?)", string(app), string(cluster.OpReplace)).Count(&open).Error
		if err != nil || open > 0 {
			return err
		}
		var cause []string
		err = tx.Model(&instanceRow{}).Where("app_id = ? AND gone_at IS NULL AND state IN ? AND id NOT IN ?", string(app), wantedStates, ids).
			Order("created_at DESC, id DESC").Limit(1).Pluck("operation_id", &cause).Error
		if err != nil {
			return err
		}
		return s.markDraining(tx, cluster.ID(append(cause, "")[0]), ids)
	})
}

// AppsOn names the apps with instances on a node that are not gone, each once.
func (s *Store) AppsOn(ctx context.Context, node cluster.ID) ([]cluster.ID, error) {
	var apps []cluster.ID
	err := s.read.WithContext(ctx).Model(&instanceRow{}).Distinct("app_id").Where("node_id = ? AND gone_at IS NULL", string(node)).Pluck("app_id", &apps).Error
	return apps, translate(err, "find the apps on a node")
}
