package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// Snapshot is the state of all apps and nodes at one moment.
type Snapshot struct {
	Apps      []cluster.App                               // by name
	Serving   map[cluster.ID]cluster.Release              // by app, the one with the most traffic: id, number, process types
	Asked     map[cluster.ID]map[string]cluster.Formation // by app and process type
	Instances map[cluster.ID][]cluster.Instance           // by app, those that are not gone: without release and times but of the start, and with the errors of those that crash
	Nodes     []cluster.Node                              // by name
	Open      []cluster.Operation                         // in the order of their turns
	Attention []cluster.Operation                         // newest first, at most AttentionLimit
}

// AttentionLimit is how many operations a snapshot names that need attention.
const AttentionLimit = 50

// Snapshot reads the whole in a handful of queries, however many apps there are.
func (s *Store) Snapshot(ctx context.Context) (Snapshot, error) {
	v := Snapshot{
		Serving: map[cluster.ID]cluster.Release{}, Asked: map[cluster.ID]map[string]cluster.Formation{},
		Instances: map[cluster.ID][]cluster.Instance{},
	}
	err := s.read.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, read := range []func(*gorm.DB, *Snapshot) error{
			fillApps, fillReleases, fillFormations, fillInstances, fillNodes, fillOperations,
		} {
			if err := read(tx, &v); err != nil {
				return err
			}
		}
		return nil
	}, snapshot)
	return v, translate(err, "read the cluster")
}

func fillApps(tx *gorm.DB, v *Snapshot) error {
	var rows []appRow
	err := tx.Order("name").Find(&rows).Error
	v.Apps = make([]cluster.App, len(rows))
	for i, r := range rows {
		v.Apps[i] = r.app()
	}
	return err
}

func fillReleases(tx *gorm.DB, v *Snapshot) error {
	var rows []releaseRow
	err := tx.Table("traffic").Select("releases.id, releases.app_id, releases.number, releases.processes, '{}' AS image").
		Joins("JOIN releases ON releases.id = traffic.release_id").
		Where("weight > 0").Order("weight DESC, release_id").Find(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		app := cluster.ID(r.AppID)
		if _, known := v.Serving[app]; known {
			continue
		}
		if v.Serving[app], err = r.release(); err != nil {
			return err
		}
	}
	return nil
}

func fillFormations(tx *gorm.DB, v *Snapshot) error {
	var rows []formationRow
	err := tx.Find(&rows).Error
	for _, r := range rows {
		app := cluster.ID(r.AppID)
		if v.Asked[app] == nil {
			v.Asked[app] = map[string]cluster.Formation{}
		}
		v.Asked[app][r.Type] = cluster.Formation{AppID: app, Type: r.Type, Quantity: r.Quantity}
	}
	return err
}

func fillInstances(tx *gorm.DB, v *Snapshot) error {
	var rows []instanceRow
	err := tx.Select("id, app_id, type, node_id, port, state, crashing, started_at, CASE WHEN crashing THEN error ELSE '' END AS error").Where("gone_at IS NULL").Order("id").Find(&rows).Error
	for _, r := range rows {
		app := cluster.ID(r.AppID)
		v.Instances[app] = append(v.Instances[app], r.instance())
	}
	return err
}

func fillNodes(tx *gorm.DB, v *Snapshot) error {
	var rows []nodeRow
	err := tx.Order("name").Find(&rows).Error
	if err == nil {
		v.Nodes, err = mapped(rows, nodeRow.node)
	}
	return err
}

func fillOperations(tx *gorm.DB, v *Snapshot) error {
	for _, q := range []struct {
		from *gorm.DB
		to   *[]cluster.Operation
	}{
		{tx.Where("state = 'open'").Order(turns), &v.Open},
		{OperationQuery{State: cluster.OperationFailed, Attention: true, Limit: AttentionLimit}.on(tx), &v.Attention},
	} {
		var rows []operationRow
		if err := q.from.Find(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			*q.to = append(*q.to, r.operation())
		}
	}
	return nil
}

// LastGone says when the last of an app's instances went; false when none has.
func (s *Store) LastGone(ctx context.Context, app cluster.ID) (time.Time, bool, error) {
	var at *int64
	err := s.read.WithContext(ctx).Model(&instanceRow{}).Select("MAX(gone_at)").
		Where("app_id = ? AND gone_at IS NOT NULL", string(app)).Scan(&at).Error
	if err != nil || at == nil {
		return time.Time{}, false, translate(err, "find when instances went")
	}
	return toTime(*at), true, nil
}
