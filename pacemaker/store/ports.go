package store

import (
	"context"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// The ports that instances get, outside the range that the kernel uses for
// outgoing connections, and how long one stays unused after its instance is gone: a
// router that missed the change must not reach a stranger behind it.
const (
	FirstPort      = 20000
	LastPort       = 29999
	PortQuarantine = 10 * time.Minute
)

type portRow struct {
	NodeID     string `gorm:"primaryKey"`
	Port       int    `gorm:"primaryKey"`
	InstanceID string
	ReleasedAt *int64
}

func (portRow) TableName() string { return "ports" }

// allocatePort reserves the next free port after the one reserved last on the
// node. The first is chosen at random, so that a ledger that was lost does not
// begin with the ports of the one before.
func (s *Store) allocatePort(tx *gorm.DB, node, instance cluster.ID) (int, error) {
	var rows []portRow
	if err := tx.Where("node_id = ?", string(node)).Find(&rows).Error; err != nil {
		return 0, err
	}
	quarantined := s.now().Add(-PortQuarantine).UnixNano()
	taken := make(map[int]bool, len(rows))
	for _, r := range rows {
		if r.ReleasedAt == nil || *r.ReleasedAt > quarantined {
			taken[r.Port] = true
		}
	}
	var last []portRow
	err := tx.Joins("JOIN instances ON instances.id = ports.instance_id").
		Where("ports.node_id = ?", string(node)).Order("instances.id DESC").Limit(1).Find(&last).Error
	if err != nil {
		return 0, err
	}
	start := FirstPort + rand.IntN(LastPort-FirstPort+1)
	if len(last) > 0 {
		start = last[0].Port + 1
	}
	for i := range LastPort - FirstPort + 1 {
		port := FirstPort + (start-FirstPort+i)%(LastPort-FirstPort+1)
		if !taken[port] {
			return port, tx.Save(&portRow{NodeID: string(node), Port: port, InstanceID: string(instance)}).Error
		}
	}
	return 0, cluster.Unavailable("node %s has no free port in %d … %d", node, FirstPort, LastPort)
}

// ChangePort gives an instance another port because its heart refused the one
// it had: something else on the node holds it, or it is still in quarantine there.
func (s *Store) ChangePort(ctx context.Context, id cluster.ID, refused int) error {
	return s.write(ctx, "change the port of an instance", func(tx *gorm.DB) error {
		var row instanceRow
		if err := tx.Where("id = ?", string(id)).Take(&row).Error; err != nil {
			return err
		}
		if row.Port != refused || row.Port == 0 || cluster.InstanceState(row.State).Ended() {
			return nil
		}
		released := s.now().UnixNano()
		err := tx.Model(&portRow{}).Where("node_id = ? AND port = ?", row.NodeID, refused).Update("released_at", released).Error
		if err != nil {
			return err
		}
		port, err := s.allocatePort(tx, cluster.ID(row.NodeID), id)
		if err != nil {
			return err
		}
		return tx.Model(&row).Update("port", port).Error
	})
}
