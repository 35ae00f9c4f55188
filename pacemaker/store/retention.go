package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// How long rows stay. The pacemaker's periodic tidying (pacemaker/janitor.go)
// deletes what is past its time; sizes are of a typical row with its indexes.
//
//	instances         24 h after their container is gone (DeleteGoneInstances)
//	ports             one row for each port of a node, 10,000 a node at most
//	operations        30 days after their end (DeleteArchive)
//	operation_changes as long as their operation; with its success they go at once
//	job_archive       30 days after their operation's end (DeleteArchive)
//	builds            as long as a release of them; 60 days without one (DeleteUnusedBuilds)
//	idempotency_keys  24 h (DeleteIdempotencyKeys)
//	join_tokens       30 days after their end (DeleteFormerMembers), their uses with them
//	nodes             while they are in the cluster; then as long as a row of an instance
//	                  there, 30 days at least (DeleteFormerMembers)
//	sessions          their own end (DeleteEndedSessions), 100 a user at most
//	releases          as long as their app, on purpose: any may be rolled back to.
//	                  1 kB and the sealed config vars each
//	events            for ever, on purpose: who changed what. 300 B each
//	tokens, users     for ever, on purpose: a revoked token stays revoked. 250 B each
//
// All other tables have a row or a few for each app, node or process type, and
// go with it.

// deleteBatch is how many rows one commit deletes at most, so that other writes
// get their turn in between.
const deleteBatch = 500

// DeleteGoneInstances deletes the rows of instances that were gone before a
// moment, and says how many. Kept are those that an open operation started or
// stops, and the last one of each app: it says since when the app lacks it.
func (s *Store) DeleteGoneInstances(ctx context.Context, before time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete gone instances", `
		DELETE FROM instances WHERE id IN (
			SELECT old.id FROM instances AS old WHERE old.gone_at < ?
				AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.id IN (old.operation_id, old.retire_id) AND operations.state = 'open')
				AND (NOT EXISTS (SELECT 1 FROM apps WHERE apps.id = old.app_id)
					OR EXISTS (SELECT 1 FROM instances AS later
						WHERE later.app_id = old.app_id AND later.gone_at IS NOT NULL AND (later.gone_at, later.id) > (old.gone_at, old.id)))
			LIMIT ?)`, before)
}

// DeleteUnusedBuilds deletes the builds from before a moment that no release was
// made of, and says how many. A release keeps its build, since a later one may be
// made of it again; an app with an open operation keeps all of its builds.
func (s *Store) DeleteUnusedBuilds(ctx context.Context, before time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete unused builds", `
		DELETE FROM builds WHERE id IN (
			SELECT old.id FROM builds AS old WHERE old.created_at < ?
				AND NOT EXISTS (SELECT 1 FROM releases WHERE releases.build_id = old.id)
				AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.app_id = old.app_id AND operations.state = 'open')
			LIMIT ?)`, before)
}

// deleteInBatches repeats a statement that takes a moment and a number of rows
// until it finds fewer rows than that.
func (s *Store) deleteInBatches(ctx context.Context, verb, statement string, before time.Time) (int, error) {
	for total := 0; ; {
		var n int
		err := s.write(ctx, verb, func(tx *gorm.DB) error {
			done := tx.Exec(statement, before.UnixNano(), deleteBatch)
			n = int(done.RowsAffected)
			return done.Error
		})
		total += n
		if err != nil || n < deleteBatch {
			return total, err
		}
	}
}
