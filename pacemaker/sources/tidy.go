package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// draftLimit is how long a source may be there before its operation is: an
// upload takes its time.
const draftLimit = 24 * time.Hour

// Tidy removes the archives and the holds of commits that no deploy and no
// release needs any more: those of releases that are too old, what a crash left
// between a source and its operation, or between an operation's end and its
// tidying up, and what was forgotten with the operation.
func (s *Sources) Tidy(ctx context.Context) error {
	kept, err := s.needed(ctx, "", s.cfg.KeepReleases)
	if err != nil {
		return err
	}
	return errors.Join(s.tidyArchives(kept), s.tidyHolds(ctx, kept))
}

// needed are the operations and builds whose sources must stay, of an app or of all
// with "": those of deploys, and of so many of the newest releases of each app.
func (s *Sources) needed(ctx context.Context, app cluster.ID, releases int) (map[cluster.ID]bool, error) {
	list, err := s.cfg.Store.DeploysKeepingSource(ctx, app)
	if err != nil {
		return nil, err
	}
	kept := map[cluster.ID]bool{}
	for _, op := range list {
		args, err := op.Request()
		if err != nil {
			return nil, err
		}
		kept[op.ID], kept[args.Build] = true, true
	}
	builds, err := s.cfg.Store.KeptBuilds(ctx, releases)
	for _, id := range builds {
		kept[id] = true
	}
	return kept, err
}

func (s *Sources) tidyArchives(kept map[cluster.ID]bool) error {
	files, err := os.ReadDir(s.cfg.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the archives: %w", err)
	}
	var errs []error
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), sourceSuffix)
		if id := cluster.ID(name); ok && s.unneeded(id, kept) {
			errs = append(errs, os.Remove(s.ArchivePath(id)))
		}
	}
	return errors.Join(errs...)
}

func (s *Sources) tidyHolds(ctx context.Context, kept map[cluster.ID]bool) error {
	apps, err := s.cfg.Store.Apps(ctx, "", -1)
	if err != nil {
		return err
	}
	var errs []error
	for _, app := range apps {
		repo := s.Repo(app.ID)
		held, err := repo.Held()
		errs = append(errs, err)
		for _, id := range held {
			if s.unneeded(cluster.ID(id), kept) {
				errs = append(errs, repo.Release(ctx, id))
			}
		}
	}
	return errors.Join(errs...)
}

// unneeded says of a source's id that nothing keeps it, and that nothing is
// about to.
func (s *Sources) unneeded(id cluster.ID, kept map[cluster.ID]bool) bool {
	_, err := cluster.ParseID(string(id))
	return err == nil && !kept[id] && s.cfg.Now().Sub(id.Time()) > draftLimit
}
