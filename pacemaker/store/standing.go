package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// Standing is what an app is to run and what it has.
type Standing struct {
	App       cluster.App
	Release   cluster.Release              // with the most traffic: id, number, process types, image; zero without traffic
	Asked     map[string]cluster.Formation // by process type
	Instances []cluster.Instance           // not gone
}

// Standings reads some apps, or all with nil, in a number of queries that does
// not depend on how many they are.
func (s *Store) Standings(ctx context.Context, apps []cluster.ID) ([]Standing, error) {
	var v Snapshot
	err := s.read.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		v, err = standings(tx, apps)
		return err
	}, snapshot)
	if err != nil {
		return nil, translate(err, "read what apps are to run")
	}
	out := make([]Standing, len(v.Apps))
	for i, app := range v.Apps {
		out[i] = Standing{App: app, Release: v.Serving[app.ID], Asked: v.Asked[app.ID], Instances: v.Instances[app.ID]}
	}
	return out, nil
}

func standings(tx *gorm.DB, apps []cluster.ID) (Snapshot, error) {
	v := Snapshot{Serving: map[cluster.ID]cluster.Release{}, Asked: map[cluster.ID]map[string]cluster.Formation{}, Instances: map[cluster.ID][]cluster.Instance{}}
	of := func(column string) *gorm.DB {
		if apps == nil {
			return tx
		}
		return tx.Where(column+" IN ?", apps)
	}
	if err := fillApps(of, &v); err != nil {
		return v, err
	}
	if err := fillReleases(of, &v); err != nil {
		return v, err
	}
	var err error
	if v.Asked, err = formationsByApp(of("app_id")); err != nil {
		return v, err
	}
	var rows []instanceRow
	err = of("app_id").Where("gone_at IS NULL").Order("id").Find(&rows).Error
	for _, in := range instancesOf(rows) {
		v.Instances[in.AppID] = append(v.Instances[in.AppID], in)
	}
	return v, err
}

func formationsByApp(q *gorm.DB) (map[cluster.ID]map[string]cluster.Formation, error) {
	var rows []formationRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	out := map[cluster.ID]map[string]cluster.Formation{}
	for _, r := range rows {
		app := cluster.ID(r.AppID)
		if out[app] == nil {
			out[app] = map[string]cluster.Formation{}
		}
		var err error
		if out[app][r.Type], err = r.formation(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AllFormations gives what was asked of every app's process types, by app and
// type.
func (s *Store) AllFormations(ctx context.Context) (map[cluster.ID]map[string]cluster.Formation, error) {
	out, err := formationsByApp(s.read.WithContext(ctx))
	return out, translate(err, "read the formations")
}

// LiveReleases gives the releases of all instances that are not gone: id, app,
// number and process types.
func (s *Store) LiveReleases(ctx context.Context) (map[cluster.ID]cluster.Release, error) {
	var rows []releaseRow
	err := s.read.WithContext(ctx).Select("id, app_id, number, processes, image").
		Where("id IN (SELECT release_id FROM instances WHERE gone_at IS NULL)").Find(&rows).Error
	if err != nil {
		return nil, translate(err, "read the releases of live instances")
	}
	out := make(map[cluster.ID]cluster.Release, len(rows))
	for _, row := range rows {
		r, err := row.release()
		if err != nil {
			return nil, err
		}
		out[r.ID] = r
	}
	return out, nil
}

// AppsOf names the apps of some instances, each once.
func (s *Store) AppsOf(ctx context.Context, instances []cluster.ID) ([]cluster.ID, error) {
	var apps []cluster.ID
	err := s.read.WithContext(ctx).Model(&instanceRow{}).Distinct("app_id").Where("id IN ?", instances).Pluck("app_id", &apps).Error
	return apps, translate(err, "find the apps of instances")
}

// Failures are the instances of a release and process type that have failed.
type Failures struct {
	Release cluster.ID
	Type    string
	Count   int
	Last    time.Time // when the last of them was made
}

// FailuresSince counts, for some releases, the operations since a moment whose
// instances have failed. Those that one operation made often fail of one cause,
// such as an image that somebody removed.
func (s *Store) FailuresSince(ctx context.Context, releases []cluster.ID, since time.Time) ([]Failures, error) {
	var rows []struct {
		ReleaseID, Type string
		N               int
		Last            int64
	}
	err := s.read.WithContext(ctx).Model(&instanceRow{}).Select("release_id, type, COUNT(DISTINCT operation_id) AS n, MAX(created_at) AS last").
		Where("release_id IN ? AND error <> '' AND created_at > ?", releases, since.UnixNano()).Group("release_id, type").Scan(&rows).Error
	out := make([]Failures, len(rows))
	for i, r := range rows {
		out[i] = Failures{Release: cluster.ID(r.ReleaseID), Type: r.Type, Count: r.N, Last: toTime(r.Last)}
	}
	return out, translate(err, "count failed instances")
}
