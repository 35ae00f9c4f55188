package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type buildRow struct {
	ID        string `gorm:"primaryKey"`
	AppID     string
	Kind      string
	Source    string
	State     string
	Image     string
	Processes string
	Domains   string
	Error     string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	EndedAt   *int64
}

func (buildRow) TableName() string { return "builds" }

func (r buildRow) build() (cluster.Build, error) {
	image, err := decode[cluster.Image](r.Image, "a build's image")
	if err != nil {
		return cluster.Build{}, err
	}
	procs, err := decode[[]cluster.ProcessType](r.Processes, "a build's process types")
	if err != nil {
		return cluster.Build{}, err
	}
	domains, err := decode[[]string](r.Domains, "a build's domains")
	return cluster.Build{
		ID: cluster.ID(r.ID), AppID: cluster.ID(r.AppID), Kind: cluster.SourceKind(r.Kind), Source: r.Source,
		State: cluster.BuildState(r.State), Image: image, Processes: procs, Domains: domains, Error: r.Error,
		CreatedAt: toTime(r.CreatedAt), EndedAt: toTimePtr(r.EndedAt),
	}, err
}

// Build finds a build by its id.
func (s *Store) Build(ctx context.Context, id cluster.ID) (cluster.Build, error) {
	var row buildRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return cluster.Build{}, translate(err, "find build "+string(id))
	}
	return row.build()
}

// WithBuild adds a pending build to an operation.
func WithBuild(id cluster.ID, kind cluster.SourceKind, source string) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		return tx.Create(&buildRow{
			ID: string(id), AppID: string(op.AppID), Kind: string(kind), Source: source, State: string(cluster.BuildPending),
			Image: "{}", Processes: "[]", Domains: "[]", CreatedAt: s.now().UnixNano(),
		}).Error
	}
}

// EndBuild records how a build ended. A build that has ended stays as it is:
// a builder that reports twice, or late, changes nothing.
func (s *Store) EndBuild(ctx context.Context, id cluster.ID, r cluster.BuildResult) error {
	return s.write(ctx, "end build", func(tx *gorm.DB) error {
		var row buildRow
		if err := tx.Where("id = ?", string(id)).Take(&row).Error; err != nil {
			return err
		}
		if row.State == string(cluster.BuildReady) || row.State == string(cluster.BuildFailed) {
			return nil
		}
		ended := s.now().UnixNano()
		return tx.Model(&row).Updates(map[string]any{
			"state": string(r.State), "image": encode(r.Image), "processes": encode(r.Processes),
			"domains": encode(r.Domains), "error": r.Error, "ended_at": ended,
		}).Error
	})
}

// OpenBuilds lists the builds that have not ended, or whose operation has not.
func (s *Store) OpenBuilds(ctx context.Context) ([]cluster.ID, error) {
	var ids []cluster.ID
	err := s.read.WithContext(ctx).Raw(`
		SELECT id FROM builds WHERE state IN ('pending', 'running')
		UNION SELECT builds.id FROM builds JOIN operations ON operations.app_id = builds.app_id WHERE operations.state = 'open'`).Scan(&ids).Error
	return ids, translate(err, "list the open builds")
}
