package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type formationRow struct {
	AppID    string `gorm:"primaryKey"`
	Type     string `gorm:"primaryKey"`
	Quantity *int
	Memory   int64
	Cpus     float64
	Tags     string // a tagsShape
}

func (formationRow) TableName() string { return "formations" }

func formationRowOf(app string, f cluster.Formation) formationRow {
	return formationRow{AppID: app, Type: f.Type, Quantity: f.Quantity, Memory: f.Limits.Memory, Cpus: f.Limits.CPUs, Tags: encode(tagsShapeOf(f.Tags))}
}

func (r formationRow) formation() (cluster.Formation, error) {
	tags, err := decode[tagsShape](r.Tags, "the tags that a process type asks for")
	return cluster.Formation{
		AppID: cluster.ID(r.AppID), Type: r.Type, Quantity: r.Quantity,
		Limits: cluster.Limits{Memory: r.Memory, CPUs: r.Cpus}, Tags: tags.tags(),
	}, err
}

type trafficRow struct {
	AppID     string `gorm:"primaryKey"`
	ReleaseID string `gorm:"primaryKey"`
	Weight    int
}

func (trafficRow) TableName() string { return "traffic" }

// Formations gives what was asked of an app's process types, by type.
func (s *Store) Formations(ctx context.Context, app cluster.ID) (map[string]cluster.Formation, error) {
	var rows []formationRow
	if err := s.read.WithContext(ctx).Where("app_id = ?", string(app)).Find(&rows).Error; err != nil {
		return nil, translate(err, "read the formation")
	}
	out := make(map[string]cluster.Formation, len(rows))
	for _, r := range rows {
		var err error
		if out[r.Type], err = r.formation(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FormationsFor gives what an operation finds asked of an app's process types when
// its turn has come: without what open operations behind it, which may fail yet,
// have asked.
func (s *Store) FormationsFor(ctx context.Context, app, op cluster.ID) (map[string]cluster.Formation, error) {
	values, err := formation.found(s.read.WithContext(ctx), app, op)
	if err != nil {
		return nil, translate(err, "read the formation")
	}
	out := make(map[string]cluster.Formation, len(values))
	for typ, raw := range values {
		asked, err := decodeAsked(raw)
		if err != nil {
			return nil, err
		}
		out[typ] = asked.formation(app, typ)
	}
	return out, nil
}

// WithFormations changes an app's formation in the operation's transaction. Should
// that end before the change is live, see Promotion, the formation goes back.
func WithFormations(list []cluster.Formation) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		before, err := askedFormation(tx, string(op.AppID))
		if err != nil {
			return err
		}
		types := make([]string, len(list))
		for i, f := range list {
			row := formationRowOf(string(op.AppID), f)
			if err := tx.Save(&row).Error; err != nil {
				return err
			}
			types[i] = f.Type
		}
		if err := formation.note(tx, op, types, before); err != nil {
			return err
		}
		return s.note(tx, op.User, "formation.change", "app "+string(op.AppID), "", encodeFormations(list))
	}
}

// Traffic gives the weights of an app's current releases.
func (s *Store) Traffic(ctx context.Context, app cluster.ID) ([]cluster.Weight, error) {
	var rows []trafficRow
	err := s.read.WithContext(ctx).Where("app_id = ? AND weight > 0", string(app)).Order("release_id").Find(&rows).Error
	if err != nil {
		return nil, translate(err, "read the traffic weights")
	}
	return mapped(rows, func(r trafficRow) (cluster.Weight, error) {
		return cluster.Weight{Release: cluster.ID(r.ReleaseID), Weight: r.Weight}, nil
	})
}

// Promotion is one change of what an app serves.
type Promotion struct {
	App     cluster.ID
	Cause   cluster.ID   // the operation that changes it, and whose change of the formation is live by this
	Release cluster.ID   // gets all traffic; empty: weights stay
	Wishes  Wishes       // of the release, which come true when it gets the traffic
	User    string       // who asked for that
	Drain   []cluster.ID // instances that are not wanted any more
	Stopped *bool        // set or clear that the app as a whole is stopped
}

// Promote moves traffic and marks what is to drain, in one transaction, so
// that the next publish shows both. Repeating it changes nothing. For an operation
// that was aborted it is a conflict; one that it was done for can't be any more.
func (s *Store) Promote(ctx context.Context, p Promotion) error {
	return s.write(ctx, "promote", func(tx *gorm.DB) error {
		if err := promote(tx, p.Cause); err != nil {
			return err
		}
		if err := forgetChanges(tx, "operation_id = ? AND kind = ?", string(p.Cause), formation.kind); err != nil {
			return err
		}
		if p.Stopped != nil {
			if err := tx.Model(&appRow{}).Where("id = ?", string(p.App)).Update("stopped", *p.Stopped).Error; err != nil {
				return err
			}
		}
		if p.Release != "" {
			if err := s.serve(tx, p); err != nil {
				return err
			}
		}
		return s.markDraining(tx, p.Cause, p.Drain)
	})
}

// serve gives a release all traffic, and the app what it asks for. What serves
// already asks for nothing again: people may have changed that since.
func (s *Store) serve(tx *gorm.DB, p Promotion) error {
	var serves int64
	err := tx.Model(&trafficRow{}).Where("app_id = ? AND release_id = ? AND weight > 0", string(p.App), string(p.Release)).Count(&serves).Error
	if err == nil && serves == 0 {
		err = s.meet(tx, p.App, p.Wishes, p.User)
	}
	if err != nil {
		return err
	}
	return moveTraffic(tx, p.App, p.Release)
}

func moveTraffic(tx *gorm.DB, app, release cluster.ID) error {
	others := tx.Model(&trafficRow{}).Select("release_id").Where("app_id = ? AND release_id <> ?", string(app), string(release))
	if err := tx.Model(&releaseRow{}).Where("id IN (?) AND state = ?", others, string(cluster.ReleaseRunning)).
		Update("state", string(cluster.ReleaseRetired)).Error; err != nil {
		return err
	}
	if err := tx.Where("app_id = ?", string(app)).Delete(&trafficRow{}).Error; err != nil {
		return err
	}
	if err := tx.Model(&releaseRow{}).Where("id = ? AND state = ?", string(release), string(cluster.ReleaseReady)).
		Update("state", string(cluster.ReleaseRunning)).Error; err != nil {
		return err
	}
	return tx.Create(&trafficRow{AppID: string(app), ReleaseID: string(release), Weight: cluster.FullWeight}).Error
}

// wantedStates are those of instances that are to run.
var wantedStates = []string{
	string(cluster.InstanceAssigned), string(cluster.InstancePulling), string(cluster.InstanceStarting), string(cluster.InstanceRunning),
}

func (s *Store) markDraining(tx *gorm.DB, cause cluster.ID, ids []cluster.ID) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.Model(&instanceRow{}).
		Where("id IN ? AND state IN ?", ids, wantedStates).
		Updates(map[string]any{"state": string(cluster.InstanceDraining), "draining_at": s.now().UnixNano(), "drain_cause": string(cause)}).Error
}
