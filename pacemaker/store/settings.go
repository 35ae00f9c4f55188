package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aorta/pacemaker/cluster"
)

type settingRow struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

func (settingRow) TableName() string { return "settings" }

const (
	settingCluster    = "cluster"
	settingEpoch      = "epoch"
	settingGeneration = "generation"
	settingAuthority  = "authority"
)

// Cluster gives the cluster's id, making it at the first start.
func (s *Store) Cluster(ctx context.Context) (cluster.ID, error) {
	var id string
	err := s.write(ctx, "read the cluster id", func(tx *gorm.DB) error {
		row := settingRow{Key: settingCluster, Value: string(cluster.NewID())}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return err
		}
		var err error
		id, err = setting(tx, settingCluster)
		return err
	})
	return cluster.ID(id), err
}

// Authority is the fingerprint of the authority that the nodes trust, "" before there
// is one.
func (s *Store) Authority(ctx context.Context) (string, error) {
	var rows []settingRow
	if err := s.read.WithContext(ctx).Where("key = ?", settingAuthority).Find(&rows).Error; err != nil || len(rows) == 0 {
		return "", translate(err, "read the authority")
	}
	return rows[0].Value, nil
}

// SetAuthority records it.
func (s *Store) SetAuthority(ctx context.Context, fingerprint string) error {
	return s.write(ctx, "record the authority", func(tx *gorm.DB) error {
		return tx.Save(&settingRow{Key: settingAuthority, Value: fingerprint}).Error
	})
}

// RaiseEpoch makes the epoch 1 + the highest of what SQL holds and what was
// seen elsewhere, and gives it. Each start of a pacemaker that owns the state
// raises it.
func (s *Store) RaiseEpoch(ctx context.Context, seen uint64) (uint64, error) {
	var epoch uint64
	err := s.write(ctx, "raise the epoch", func(tx *gorm.DB) error {
		have, err := number(tx, settingEpoch)
		if err != nil {
			return err
		}
		epoch = max(have, seen) + 1
		return put(tx, settingEpoch, epoch)
	})
	return epoch, err
}

func setting(tx *gorm.DB, key string) (string, error) {
	var row settingRow
	err := tx.Where("key = ?", key).Take(&row).Error
	return row.Value, err
}

func number(tx *gorm.DB, key string) (uint64, error) {
	var rows []settingRow
	if err := tx.Where("key = ?", key).Find(&rows).Error; err != nil || len(rows) == 0 {
		return 0, err
	}
	return strconv.ParseUint(rows[0].Value, 10, 64)
}

func put(tx *gorm.DB, key string, n uint64) error {
	return tx.Save(&settingRow{Key: key, Value: strconv.FormatUint(n, 10)}).Error
}
