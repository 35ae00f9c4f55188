package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aorta/pacemaker/cluster"
)

type archiveRow struct {
	ID      string `gorm:"primaryKey"`
	AppID   string
	Kind    string
	State   string
	Tree    string
	Log     string
	EndedAt int64
}

func (archiveRow) TableName() string { return "job_archive" }

// Ending is how an operation ended, with its tree and log for the archive.
type Ending struct {
	ID    cluster.ID
	State cluster.OperationState
	Error string
	Tree  []byte // JSON
	Log   []byte // JSON
}

// EndOperation closes an operation once, archives its tree and undoes what a
// failed one left half done: its config vars go back, its release fails, its instances drain, what it
// would have retired may be retired again.
func (s *Store) EndOperation(ctx context.Context, e Ending) error {
	return s.write(ctx, "end operation", func(tx *gorm.DB) error {
		var row operationRow
		if err := tx.Where("id = ?", string(e.ID)).Take(&row).Error; err != nil {
			return err
		}
		if row.State != string(cluster.OperationOpen) {
			return nil
		}
		err := s.settleConfig(tx, &e)
		if err != nil {
			return err
		}
		ended := s.now().UnixNano()
		err = tx.Model(&row).Updates(map[string]any{"state": string(e.State), "error": e.Error, "ended_at": ended}).Error
		if err == nil && e.State != cluster.OperationSucceeded {
			err = s.undo(tx, row, e)
		}
		if err == nil {
			err = tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&archiveRow{
				ID: row.ID, AppID: row.AppID, Kind: row.Kind, State: string(e.State),
				Tree: string(e.Tree), Log: string(e.Log), EndedAt: ended,
			}).Error
		}
		return err
	})
}

// settleConfig keeps what a successful operation did to the config vars, and
// takes back what another one did, which its error says.
func (s *Store) settleConfig(tx *gorm.DB, e *Ending) error {
	if e.State == cluster.OperationSucceeded {
		return tx.Where("operation_id = ?", string(e.ID)).Delete(&configChangeRow{}).Error
	}
	var serves int64
	err := tx.Model(&releaseRow{}).Where("operation_id = ? AND state = ?", string(e.ID), string(cluster.ReleaseRunning)).Count(&serves).Error
	if err != nil || serves > 0 {
		return err // what serves has them
	}
	keys, err := s.takeBackConfig(tx, string(e.ID))
	e.Error = takenBack(e.Error, keys)
	return err
}

func (s *Store) undo(tx *gorm.DB, row operationRow, e Ending) error {
	if row.Kind == string(cluster.OpDestroy) {
		if err := tx.Model(&appRow{}).Where("id = ?", row.AppID).Update("destroying", false).Error; err != nil {
			return err
		}
	}
	err := tx.Model(&releaseRow{}).Where("operation_id = ? AND state = ?", string(e.ID), string(cluster.ReleaseReady)).
		Updates(map[string]any{"state": string(cluster.ReleaseFailed), "error": e.Error}).Error
	if err != nil {
		return err
	}
	var ids []cluster.ID
	err = tx.Model(&instanceRow{}).Select("instances.id").
		Joins("LEFT JOIN traffic ON traffic.release_id = instances.release_id").
		Where("instances.operation_id = ? AND (traffic.release_id IS NULL OR instances.state <> 'running')", string(e.ID)).Scan(&ids).Error
	if err != nil {
		return err
	}
	if err := s.markDraining(tx, e.ID, ids); err != nil {
		return err
	}
	return tx.Model(&instanceRow{}).Where("retire_id = ? AND gone_at IS NULL", string(e.ID)).Update("retire_id", "").Error
}

// Archived gives the tree and log of an ended operation.
func (s *Store) Archived(ctx context.Context, id cluster.ID) (tree, log []byte, err error) {
	var row archiveRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return nil, nil, translate(err, "find job "+string(id))
	}
	return []byte(row.Tree), []byte(row.Log), nil
}

// DeleteArchive drops archived trees and ended operations older than the
// cut, in nanoseconds.
func (s *Store) DeleteArchive(ctx context.Context, before int64) error {
	return s.write(ctx, "clean the job archive", func(tx *gorm.DB) error {
		return errors.Join(
			tx.Where("ended_at < ?", before).Delete(&archiveRow{}).Error,
			tx.Where("operation_id IN (SELECT id FROM operations WHERE state <> 'open' AND ended_at < ?)", before).Delete(&configChangeRow{}).Error,
			tx.Where("state <> 'open' AND ended_at < ?", before).Delete(&operationRow{}).Error,
		)
	})
}
