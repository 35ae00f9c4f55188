package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// RouteState is all that the routing table is made of, read in one snapshot.
type RouteState struct {
	Generation uint64
	Apps       map[cluster.ID]cluster.App
	Domains    []cluster.Domain
	Weights    map[cluster.ID][]cluster.Weight // by app
	Labels     map[cluster.ID]string           // by release
	Serving    []cluster.Instance
	Nodes      map[cluster.ID]cluster.Node
}

// Routes reads the state as it is.
func (s *Store) Routes(ctx context.Context) (RouteState, error) {
	var st RouteState
	err := s.read.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		st, err = readRoutes(tx)
		return err
	}, snapshot)
	return st, translate(err, "read the routes")
}

// NextRoutes raises the generation and reads the state that it stands for, in
// one transaction, so that no later change can hide under an older number.
func (s *Store) NextRoutes(ctx context.Context) (RouteState, error) {
	var st RouteState
	err := s.write(ctx, "raise the generation", func(tx *gorm.DB) error {
		have, err := number(tx, settingGeneration)
		if err != nil {
			return err
		}
		if err := put(tx, settingGeneration, have+1); err != nil {
			return err
		}
		st, err = readRoutes(tx)
		return err
	})
	return st, err
}

// RaiseGeneration makes the generation at least n.
func (s *Store) RaiseGeneration(ctx context.Context, n uint64) error {
	return s.write(ctx, "raise the generation", func(tx *gorm.DB) error {
		have, err := number(tx, settingGeneration)
		if err != nil || have >= n {
			return err
		}
		return put(tx, settingGeneration, n)
	})
}

func readRoutes(tx *gorm.DB) (RouteState, error) {
	st := RouteState{
		Apps: map[cluster.ID]cluster.App{}, Weights: map[cluster.ID][]cluster.Weight{},
		Labels: map[cluster.ID]string{}, Nodes: map[cluster.ID]cluster.Node{},
	}
	var err error
	if st.Generation, err = number(tx, settingGeneration); err != nil {
		return st, err
	}
	for _, read := range []func(*gorm.DB, *RouteState) error{readApps, readDomains, readWeights, readServing, readNodes} {
		if err := read(tx, &st); err != nil {
			return st, err
		}
	}
	return st, nil
}

func readApps(tx *gorm.DB, st *RouteState) error {
	var rows []appRow
	err := tx.Find(&rows).Error
	for _, r := range rows {
		st.Apps[cluster.ID(r.ID)] = r.app()
	}
	return err
}

func readDomains(tx *gorm.DB, st *RouteState) error {
	var rows []domainRow
	err := tx.Order("host").Find(&rows).Error
	for _, r := range rows {
		st.Domains = append(st.Domains, r.domain())
	}
	return err
}

func readWeights(tx *gorm.DB, st *RouteState) error {
	var rows []struct {
		AppID     string
		ReleaseID string
		Weight    int
		Number    int
	}
	err := tx.Table("traffic").Select("traffic.*, releases.number").Joins("JOIN releases ON releases.id = traffic.release_id").
		Where("weight > 0").Order("release_id").Find(&rows).Error
	for _, r := range rows {
		app := cluster.ID(r.AppID)
		st.Weights[app] = append(st.Weights[app], cluster.Weight{Release: cluster.ID(r.ReleaseID), Weight: r.Weight})
		st.Labels[cluster.ID(r.ReleaseID)] = cluster.ReleaseLabel(r.Number)
	}
	return err
}

func readServing(tx *gorm.DB, st *RouteState) error {
	var rows []instanceRow
	err := tx.Where("gone_at IS NULL AND state = 'running' AND NOT crashing AND port > 0").Order("id").Find(&rows).Error
	st.Serving = instancesOf(rows)
	return err
}

func readNodes(tx *gorm.DB, st *RouteState) error {
	var rows []nodeRow
	if err := present(tx).Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		n, err := r.node()
		if err != nil {
			return err
		}
		st.Nodes[n.ID] = n
	}
	return nil
}
