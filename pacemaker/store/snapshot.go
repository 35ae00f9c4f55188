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
	Instances map[cluster.ID][]cluster.Instance           // by app, those that are not gone: without release and times but of start and crash, and with the errors of those that crash or did
	Nodes     []cluster.Node                              // by name
	Open      []cluster.Operation                         // in the order of their turns
	Attention []cluster.Operation                         // newest first, at most AttentionLimit
}

// AttentionLimit is how many operations a snapshot names that need attention.
const AttentionLimit = 50

// Snapshot reads the whole in a handful of queries, however many apps there are.
func (s *Store) Snapshot(ctx context.Context) (Snapshot, error) { return s.snapshot(ctx, "") }

// SnapshotOf reads what a snapshot has of one app, without nodes. Its apps are
// none when there is no such app.
func (s *Store) SnapshotOf(ctx context.Context, app cluster.ID) (Snapshot, error) {
	return s.snapshot(ctx, app)
}

func (s *Store) snapshot(ctx context.Context, app cluster.ID) (Snapshot, error) {
	v := Snapshot{
		Serving: map[cluster.ID]cluster.Release{}, Asked: map[cluster.ID]map[string]cluster.Formation{},
		Instances: map[cluster.ID][]cluster.Instance{},
	}
	fills := []func(scope, *Snapshot) error{fillApps, fillReleases, fillFormations, fillInstances, fillOperations}
	if app == "" {
		fills = append(fills, fillNodes)
	}
	err := s.read.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		of := func(column string) *gorm.DB {
			if app == "" {
				return tx
			}
			return tx.Where(column+" = ?", string(app))
		}
		for _, fill := range fills {
			if err := fill(of, &v); err != nil {
				return err
			}
		}
		return nil
	}, snapshot)
	return v, translate(err, "read the cluster")
}

// scope begins a query, narrowed down by the column with an app's id.
type scope func(column string) *gorm.DB

func fillApps(of scope, v *Snapshot) error {
	var rows []appRow
	err := of("id").Order("name").Find(&rows).Error
	v.Apps = make([]cluster.App, len(rows))
	for i, row := range rows {
		v.Apps[i] = row.app()
	}
	return err
}

func fillReleases(of scope, v *Snapshot) error {
	var rows []releaseRow
	err := of("traffic.app_id").Table("traffic").Select("releases.id, releases.app_id, releases.number, releases.processes, releases.image").
		Joins("JOIN releases ON releases.id = traffic.release_id").
		Where("weight > 0").Order("weight DESC, release_id").Find(&rows).Error
	if err != nil {
		return err
	}
	for _, row := range rows {
		app := cluster.ID(row.AppID)
		if _, known := v.Serving[app]; known {
			continue
		}
		if v.Serving[app], err = row.release(); err != nil {
			return err
		}
	}
	return nil
}

func fillFormations(of scope, v *Snapshot) error {
	var rows []formationRow
	err := of("app_id").Find(&rows).Error
	for _, row := range rows {
		app := cluster.ID(row.AppID)
		if v.Asked[app] == nil {
			v.Asked[app] = map[string]cluster.Formation{}
		}
		v.Asked[app][row.Type] = cluster.Formation{AppID: app, Type: row.Type, Quantity: row.Quantity}
	}
	return err
}

func fillInstances(of scope, v *Snapshot) error {
	var rows []instanceRow
	err := of("app_id").Select("id, app_id, type, node_id, port, state, crashing, restarts, started_at, crashed_at, stops_after, " +
		"CASE WHEN crashing OR crashed_at IS NOT NULL THEN error ELSE '' END AS error").Where("gone_at IS NULL").Order("id").Find(&rows).Error
	for _, row := range rows {
		app := cluster.ID(row.AppID)
		v.Instances[app] = append(v.Instances[app], row.instance())
	}
	return err
}

func fillNodes(of scope, v *Snapshot) error {
	var rows []nodeRow
	err := present(of("")).Order("name").Find(&rows).Error
	if err == nil {
		v.Nodes, err = mapped(rows, nodeRow.node)
	}
	return err
}

func fillOperations(of scope, v *Snapshot) error {
	for _, q := range []struct {
		from *gorm.DB
		to   *[]cluster.Operation
	}{
		{of("app_id").Where("state = 'open'").Order(arrival), &v.Open},
		{OperationQuery{State: cluster.OperationFailed, Attention: true, Limit: AttentionLimit}.on(of("app_id")), &v.Attention},
	} {
		var rows []operationRow
		if err := q.from.Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			*q.to = append(*q.to, row.operation())
		}
	}
	return nil
}

// LastFailed is the newest of an app's instances of some process types that failed,
// gone or not; the zero instance for none.
func (s *Store) LastFailed(ctx context.Context, app cluster.ID, types []string) (cluster.Instance, error) {
	failed := func() *gorm.DB {
		return s.read.WithContext(ctx).Where("app_id = ? AND type IN ? AND state = 'failed'", string(app), types).Limit(1)
	}
	there, err := s.instances(failed().Where("gone_at IS NULL").Order("id DESC"))
	if err != nil || len(there) > 0 {
		return first(there), err
	}
	gone, err := s.instances(failed().Where("gone_at IS NOT NULL").Order("gone_at DESC"))
	return first(gone), err
}

func first(list []cluster.Instance) (in cluster.Instance) {
	if len(list) > 0 {
		in = list[0]
	}
	return in
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
