package store

import (
	"context"

	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

type releaseRow struct {
	ID          string `gorm:"primaryKey"`
	AppID       string
	Number      int
	BuildID     string
	OperationID string
	State       string
	Image       string
	Processes   string
	Config      string
	CommitID    string
	Message     string
	Author      string
	Username    string
	Cause       string
	Error       string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
}

func (releaseRow) TableName() string { return "releases" }

func (r releaseRow) release() (cluster.Release, error) {
	image, err := decodeImage(r.Image, "a release's image")
	if err != nil {
		return cluster.Release{}, err
	}
	procs, err := decodeProcesses(r.Processes, "a release's process types")
	return cluster.Release{
		ID: cluster.ID(r.ID), AppID: cluster.ID(r.AppID), Number: r.Number, BuildID: cluster.ID(r.BuildID),
		State: cluster.ReleaseState(r.State), Image: image, Processes: procs, Commit: r.CommitID, Message: r.Message, Author: r.Author,
		User: r.Username, Cause: r.Cause, Error: r.Error, CreatedAt: toTime(r.CreatedAt),
	}, err
}

// NewRelease is what a release is made of. Its config vars are the app's at
// that moment, without the changes of operations whose turn has not come, its
// number the next one.
type NewRelease struct {
	Operation cluster.Operation
	Build     cluster.Build
	Commit    string
	Message   string
	Author    string
	Cause     string
	Wishes    Wishes // of its aorta.yml, which are refused now if they can't be met
}

// Wishes are what a release asks of its app. They come true with the traffic, so
// that one that never serves changes nothing of what does.
type Wishes struct {
	Domains   []string // added when free
	NoDomains []string // removed, unless somebody has added them by hand
	Route     cluster.RequestLimitsChange
}

// CreateRelease makes the operation's release, once: asked again, it gives
// the one that is there.
func (s *Store) CreateRelease(ctx context.Context, n NewRelease) (cluster.Release, error) {
	var out cluster.Release
	err := s.write(ctx, "create release", func(tx *gorm.DB) error {
		var have []releaseRow
		if err := tx.Where("operation_id = ?", string(n.Operation.ID)).Find(&have).Error; err != nil {
			return err
		}
		if len(have) == 0 {
			row, err := s.insertRelease(tx, n)
			if err != nil {
				return err
			}
			have = append(have, row)
		}
		var err error
		out, err = have[0].release()
		return err
	})
	return out, err
}

func (s *Store) insertRelease(tx *gorm.DB, n NewRelease) (releaseRow, error) {
	vars, err := s.configFor(tx, n.Operation)
	if err != nil {
		return releaseRow{}, err
	}
	sealed := s.sealer.Seal(encode(vars))
	var last int
	if err := tx.Model(&releaseRow{}).Where("app_id = ?", string(n.Build.AppID)).Select("COALESCE(MAX(number), 0)").Scan(&last).Error; err != nil {
		return releaseRow{}, err
	}
	if err := canMeet(tx, n.Build.AppID, n.Wishes); err != nil {
		return releaseRow{}, err
	}
	row := releaseRow{
		ID: string(cluster.DeriveID(n.Operation.ID, "release", 0)), AppID: string(n.Build.AppID), Number: last + 1,
		BuildID: string(n.Build.ID), OperationID: string(n.Operation.ID), State: string(cluster.ReleaseReady),
		Image: encodeImage(n.Build.Image), Processes: encodeProcesses(n.Build.Processes), Config: sealed,
		CommitID: n.Commit, Message: n.Message, Author: n.Author, Username: n.Operation.User, Cause: n.Cause, CreatedAt: s.now().UnixNano(),
	}
	err = tx.Create(&row).Error
	return row, err
}

// Release finds a release by its id.
func (s *Store) Release(ctx context.Context, id cluster.ID) (cluster.Release, error) {
	var row releaseRow
	if err := s.read.WithContext(ctx).Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return cluster.Release{}, translate(err, "find release "+string(id))
	}
	return row.release()
}

// ReleaseByNumber finds an app's release v<number>.
func (s *Store) ReleaseByNumber(ctx context.Context, app cluster.App, number int) (cluster.Release, error) {
	var rows []releaseRow
	err := s.read.WithContext(ctx).Where("app_id = ? AND number = ?", string(app.ID), number).Find(&rows).Error
	if err != nil {
		return cluster.Release{}, translate(err, "find release")
	}
	if len(rows) == 0 {
		return cluster.Release{}, cluster.NotFound("app %q has no release %s (list them with: aorta releases -a %s)", app.Name, cluster.ReleaseLabel(number), app.Name)
	}
	return rows[0].release()
}

// ReleaseByOperation finds the release that an operation made; not found when
// it has made none yet.
func (s *Store) ReleaseByOperation(ctx context.Context, op cluster.ID) (cluster.Release, error) {
	var row releaseRow
	if err := s.read.WithContext(ctx).Where("operation_id = ?", string(op)).Take(&row).Error; err != nil {
		return cluster.Release{}, translate(err, "find the release of operation "+string(op))
	}
	return row.release()
}

// Releases lists an app's releases, newest first, those below a number (0: all).
func (s *Store) Releases(ctx context.Context, app cluster.ID, below, limit int) ([]cluster.Release, error) {
	q := s.read.WithContext(ctx).Where("app_id = ?", string(app))
	if below > 0 {
		q = q.Where("number < ?", below)
	}
	var rows []releaseRow
	if err := q.Order("number DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, translate(err, "list releases")
	}
	return mapped(rows, releaseRow.release)
}

// ReleaseConfig gives the config vars that a release was made with.
func (s *Store) ReleaseConfig(ctx context.Context, id cluster.ID) (map[string]string, error) {
	var row releaseRow
	if err := s.read.WithContext(ctx).Select("config").Where("id = ?", string(id)).Take(&row).Error; err != nil {
		return nil, translate(err, "read the config of release "+string(id))
	}
	plain, err := s.sealer.Unseal(row.Config)
	if err != nil {
		return nil, err
	}
	return decode[map[string]string](plain, "a release's config")
}
