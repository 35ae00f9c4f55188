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
// failed one left half done: its config vars and formation go back, its release
// fails, its instances drain, the node that it was to empty has instances again, what it would have retired may be retired again.
func (s *Store) EndOperation(ctx context.Context, e Ending) error {
	return s.write(ctx, "end operation", func(tx *gorm.DB) error {
		var row operationRow
		if err := tx.Where("id = ?", string(e.ID)).Take(&row).Error; err != nil {
			return err
		}
		if row.State != string(cluster.OperationOpen) {
			return nil
		}
		unscaled, err := s.settle(tx, &e)
		if err != nil {
			return err
		}
		ended := s.now().UnixNano()
		err = tx.Model(&row).Updates(map[string]any{"state": string(e.State), "error": e.Error, "ended_at": ended}).Error
		if err == nil && e.State != cluster.OperationSucceeded {
			err = s.undo(tx, row, e, unscaled)
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

// settle keeps what a successful operation did to the config vars and the
// formation, and takes back what another one did, which its error says. unscaled
// says that its change of the formation was not live.
func (s *Store) settle(tx *gorm.DB, e *Ending) (unscaled bool, err error) {
	if e.State == cluster.OperationSucceeded {
		return false, forgetChanges(tx, "operation_id = ?", string(e.ID))
	}
	unscaled, err = unscale(tx, e)
	if err != nil {
		return unscaled, err
	}
	var serves int64
	err = tx.Model(&releaseRow{}).Where("operation_id = ? AND state = ?", string(e.ID), string(cluster.ReleaseRunning)).Count(&serves).Error
	if err != nil || serves > 0 {
		return unscaled, err // what serves has the config vars
	}
	return unscaled, unconfigure(tx, e)
}

// unscale takes back what an operation made of the formation that is not live, and
// says whether there was anything.
func unscale(tx *gorm.DB, e *Ending) (bool, error) {
	rows, err := formation.changes(tx, string(e.ID))
	if err != nil {
		return false, err
	}
	undone, err := formation.takeBack(tx, rows)
	if err != nil {
		return false, err
	}
	is := make([]string, len(undone))
	for i, row := range undone {
		if is[i], err = isAgain(tx, row); err != nil {
			return false, err
		}
	}
	e.Error = takenBack(e.Error, "formation is", is)
	return len(rows) > 0, nil
}

// unconfigure takes back what an operation made of the config vars.
func unconfigure(tx *gorm.DB, e *Ending) error {
	rows, err := configVars.changes(tx, string(e.ID))
	if err != nil {
		return err
	}
	undone, err := configVars.takeBack(tx, rows)
	keys := make([]string, len(undone))
	for i, row := range undone {
		keys[i] = isSetAgain(row)
	}
	e.Error = takenBack(e.Error, "config vars are", keys)
	return err
}

// isSetAgain says how a config var is once a change of it was taken back. Its value is
// nobody's business: it may be a password.
func isSetAgain(row changeRow) string {
	switch {
	case row.Before == nil:
		return row.Key + " is not set"
	case row.After == nil:
		return row.Key + " is set"
	}
	return row.Key + " has its former value"
}

func (s *Store) undo(tx *gorm.DB, row operationRow, e Ending, unscaled bool) error {
	if row.Kind == string(cluster.OpDestroy) {
		if err := tx.Model(&appRow{}).Where("id = ?", row.AppID).Update("destroying", false).Error; err != nil {
			return err
		}
	}
	if row.Kind == string(cluster.OpDrain) {
		if err := setDraining(tx, cluster.ID(row.NodeID), false); err != nil {
			return err
		}
	}
	err := tx.Model(&releaseRow{}).Where("operation_id = ? AND state = ?", string(e.ID), string(cluster.ReleaseReady)).
		Updates(map[string]any{"state": string(cluster.ReleaseFailed), "error": e.Error}).Error
	if err != nil {
		return err
	}
	if err := s.drainStarted(tx, e.ID, unscaled); err != nil {
		return err
	}
	return tx.Model(&instanceRow{}).Where("retire_id = ? AND gone_at IS NULL", string(e.ID)).Update("retire_id", "").Error
}

// drainStarted drains what an operation started that is not to serve. Of one whose
// scaling was taken back that is all, except where nothing else of the process
// type runs.
func (s *Store) drainStarted(tx *gorm.DB, op cluster.ID, unscaled bool) error {
	which := "traffic.release_id IS NULL OR instances.state <> 'running'"
	if unscaled {
		which += ` OR EXISTS (SELECT 1 FROM instances AS other WHERE other.app_id = instances.app_id AND other.type = instances.type
			AND other.gone_at IS NULL AND other.operation_id <> instances.operation_id AND other.state = 'running' AND NOT other.crashing)`
	}
	var ids []cluster.ID
	err := tx.Model(&instanceRow{}).Select("instances.id").
		Joins("LEFT JOIN traffic ON traffic.release_id = instances.release_id").
		Where("instances.operation_id = ?", string(op)).Where(which).Scan(&ids).Error
	if err != nil {
		return err
	}
	return s.markDraining(tx, op, ids)
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
			forgetChanges(tx, "operation_id IN (SELECT id FROM operations WHERE state <> 'open' AND ended_at < ?)", before),
			tx.Where("state <> 'open' AND ended_at < ?", before).Delete(&operationRow{}).Error,
		)
	})
}
