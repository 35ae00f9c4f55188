package store

import (
	"context"
	"time"

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
	Route     string
	Error     string
	Steps     int
	Cached    int
	Took      int64
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	EndedAt   *int64

	OperationID string
}

func (buildRow) TableName() string { return "builds" }

func (r buildRow) build() (cluster.Build, error) {
	image, err := decodeImage(r.Image, "a build's image")
	if err != nil {
		return cluster.Build{}, err
	}
	procs, err := decodeProcesses(r.Processes, "a build's process types")
	if err != nil {
		return cluster.Build{}, err
	}
	domains, err := decode[[]string](r.Domains, "a build's domains")
	if err != nil {
		return cluster.Build{}, err
	}
	route, err := decode[routeShape](r.Route, "a build's route")
	return cluster.Build{
		ID: cluster.ID(r.ID), AppID: cluster.ID(r.AppID), Kind: cluster.SourceKind(r.Kind), Source: r.Source,
		State: cluster.BuildState(r.State), Image: image, Processes: procs, Domains: domains, Route: route.change(), Error: r.Error,
		Steps: r.Steps, Cached: r.Cached, Took: time.Duration(r.Took),
		CreatedAt: toTime(r.CreatedAt), EndedAt: toTimePtr(r.EndedAt), Operation: cluster.ID(r.OperationID),
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

// ListedBuild is a build with what it is part of.
type ListedBuild struct {
	cluster.Build
	Operation cluster.Operation // the zero one when its record was removed
	Release   int               // number of the first release that was made of it; 0 for none
}

// Builds lists an app's builds, the newest first, below an id if one is given.
func (s *Store) Builds(ctx context.Context, app, below cluster.ID, limit int) ([]ListedBuild, error) {
	query := s.read.WithContext(ctx).Where("app_id = ?", string(app)).Order("id DESC").Limit(limit)
	if below != "" {
		query = query.Where("id < ?", string(below))
	}
	var rows []buildRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, translate(err, "list builds")
	}
	list := make([]ListedBuild, len(rows))
	for i, row := range rows {
		b, err := row.build()
		if err != nil {
			return nil, err
		}
		list[i].Build = b
	}
	return list, s.completeBuilds(ctx, list)
}

// completeBuilds adds what builds are part of.
func (s *Store) completeBuilds(ctx context.Context, list []ListedBuild) error {
	var ids, parts []cluster.ID
	for _, b := range list {
		ids, parts = append(ids, b.ID), append(parts, b.Build.Operation)
	}
	ops, err := s.operations(ctx, s.read.Where("id IN ?", parts))
	if err != nil {
		return err
	}
	byID := map[cluster.ID]cluster.Operation{}
	for _, op := range ops {
		byID[op.ID] = op
	}
	var made []struct {
		BuildID cluster.ID
		Number  int
	}
	err = s.read.WithContext(ctx).Model(&releaseRow{}).Where("build_id IN ?", ids).Group("build_id").Select("build_id, min(number) AS number").Scan(&made).Error
	if err != nil {
		return translate(err, "find the releases of builds")
	}
	numbers := map[cluster.ID]int{}
	for _, m := range made {
		numbers[m.BuildID] = m.Number
	}
	for i, b := range list {
		list[i].Operation, list[i].Release = byID[b.Build.Operation], numbers[b.ID]
	}
	return nil
}

// FormerBuild is that of the release which, of all that served before an operation's
// own, was the last one made of a source; the zero build for none.
func (s *Store) FormerBuild(ctx context.Context, op cluster.Operation) (cluster.Build, error) {
	var rows []buildRow
	err := s.read.WithContext(ctx).Joins("JOIN releases ON releases.build_id = builds.id").
		Where("releases.app_id = ? AND releases.operation_id <> ? AND releases.state IN ('running', 'retired')", string(op.AppID), string(op.ID)).
		Where("builds.kind <> ?", string(cluster.SourceImage)).
		Order("releases.number DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return cluster.Build{}, translate(err, "find the build before")
	}
	return rows[0].build()
}

// WithBuild adds a pending build to an operation.
func WithBuild(id cluster.ID, kind cluster.SourceKind, source string) Part {
	return func(s *Store, tx *gorm.DB, op cluster.Operation) error {
		return tx.Create(&buildRow{
			ID: string(id), AppID: string(op.AppID), Kind: string(kind), Source: source, State: string(cluster.BuildPending),
			Image: "{}", Processes: "[]", Domains: "[]", Route: "{}", CreatedAt: s.now().UnixNano(), OperationID: string(op.ID),
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
			"state": string(r.State), "image": encodeImage(r.Image), "processes": encodeProcesses(r.Processes),
			"domains": encode(r.Domains), "route": encode(routeShapeOf(r.Route)), "error": r.Error, "ended_at": ended,
			"steps": r.Steps, "cached": r.Cached, "took": int64(r.Took),
		}).Error
	})
}

// ReplaceImage gives a ready build, and all releases of it, another image for one
// that is gone. A build whose image is another one by now stays as it is: a
// builder that reports twice, or late, changes nothing.
func (s *Store) ReplaceImage(ctx context.Context, build cluster.ID, gone string, image cluster.Image) error {
	return s.write(ctx, "replace an image", func(tx *gorm.DB) error {
		var row buildRow
		if err := tx.Where("id = ?", string(build)).Take(&row).Error; err != nil {
			return err
		}
		b, err := row.build()
		if err != nil || b.State != cluster.BuildReady || b.Image.ID != gone {
			return err
		}
		encoded := encodeImage(image)
		if err := tx.Model(&row).Update("image", encoded).Error; err != nil {
			return err
		}
		return tx.Model(&releaseRow{}).Where("build_id = ?", row.ID).Update("image", encoded).Error
	})
}

// OpenBuilds lists the builds that have not ended, or of whose app an operation has
// not; a removal of images is none that needs one.
func (s *Store) OpenBuilds(ctx context.Context) ([]cluster.ID, error) {
	var ids []cluster.ID
	err := s.read.WithContext(ctx).Raw(`
		SELECT id FROM builds WHERE state IN ('pending', 'running')
		UNION SELECT builds.id FROM builds JOIN operations ON operations.app_id = builds.app_id
			WHERE operations.state = 'open' AND operations.kind <> ?`, string(cluster.OpPrune)).Scan(&ids).Error
	return ids, translate(err, "list the open builds")
}
