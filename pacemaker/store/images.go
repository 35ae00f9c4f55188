package store

import (
	"context"

	"aorta/pacemaker/cluster"
)

// imageUseRow is a release with what decides about its image.
type imageUseRow struct {
	Image   string
	BuildID string
	AppID   string
	AppName string
	Number  int
	Live    bool
	Newest  bool
}

// ImageUses lists the releases that have an image to keep, or one of the builds':
// each app's newest ones that did not fail, as many as perApp says, those with
// traffic or instances, and all of the builds named.
func (s *Store) ImageUses(ctx context.Context, perApp int, builds []cluster.ID) ([]cluster.ImageUse, error) {
	if len(builds) == 0 {
		builds = []cluster.ID{""} // an empty list is no SQL
	}
	var rows []imageUseRow
	err := s.read.WithContext(ctx).Raw(`
		SELECT * FROM (
			SELECT r.image, r.build_id, r.app_id, apps.name AS app_name, r.number,
				row_number() OVER (PARTITION BY r.app_id, r.state <> 'failed' ORDER BY r.number DESC) <= ? AND r.state <> 'failed' AS newest,
				EXISTS (SELECT 1 FROM traffic WHERE traffic.release_id = r.id)
					OR EXISTS (SELECT 1 FROM instances WHERE instances.release_id = r.id AND instances.gone_at IS NULL) AS live
			FROM releases AS r JOIN apps ON apps.id = r.app_id) AS uses
		WHERE newest OR live OR build_id IN ?`, perApp, builds).Scan(&rows).Error
	if err != nil {
		return nil, translate(err, "list the images of releases")
	}
	return mapped(rows, imageUseRow.use)
}

// Runs says whether a node has an instance of an app, at work or ending.
func (s *Store) Runs(ctx context.Context, node, app cluster.ID) (bool, error) {
	var n int64
	err := s.read.WithContext(ctx).Model(&instanceRow{}).Where("node_id = ? AND app_id = ? AND gone_at IS NULL", string(node), string(app)).Limit(1).Count(&n).Error
	return n > 0, translate(err, "look for an app's instances on a node")
}

func (r imageUseRow) use() (cluster.ImageUse, error) {
	image, err := decodeImage(r.Image, "a release's image")
	return cluster.ImageUse{
		Image: image, Build: cluster.ID(r.BuildID), App: cluster.ID(r.AppID), AppName: r.AppName, Number: r.Number, Live: r.Live, Kept: r.Newest,
	}, err
}
