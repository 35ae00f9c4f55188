package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"aorta/pacemaker/cluster"
)

// Drop removes what a deploy was kept for: the hold of its commit, which Git
// may tidy away then if no ref took it over, and its archive. What a release was
// made of stays, since it may be rolled back to: Tidy knows for how long.
func (s *Sources) Drop(ctx context.Context, op cluster.Operation) error {
	args, err := op.Request()
	if err != nil || args.Build == "" {
		return err
	}
	released, err := s.cfg.Store.Released(ctx, args.Build)
	if err != nil {
		return err
	}
	if err := s.dropHold(ctx, op, args.Commit, released); err != nil || released {
		return err
	}
	return s.RemoveArchive(args.Build)
}

// dropHold ends the hold of a commit. That of a success is on its branch by then.
func (s *Sources) dropHold(ctx context.Context, op cluster.Operation, commit string, released bool) error {
	repo := s.Repo(op.AppID)
	if _, gone := os.Stat(repo.Dir); commit == "" || gone != nil {
		return nil
	}
	if released && op.State != cluster.OperationSucceeded {
		if err := repo.Keep(ctx, commit); err != nil {
			return err
		}
	}
	return repo.Release(ctx, string(op.ID))
}

// DropArchives removes the archives of an app that goes.
func (s *Sources) DropArchives(ctx context.Context, app cluster.ID) error {
	builds, err := s.cfg.Store.ArchiveBuilds(ctx, app)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range builds {
		errs = append(errs, s.RemoveArchive(id))
	}
	return errors.Join(errs...)
}

// RemoveArchive removes a build's archive, if there is one.
func (s *Sources) RemoveArchive(build cluster.ID) error {
	if err := os.Remove(s.ArchivePath(build)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the archive of build %s: %w", build, err)
	}
	return nil
}

// DropSuperseded drops what a deploy that ended leaves without a use: its own source
// if it succeeded, or if a later one has ended already, and that of the one that
// ended last before it. So an app keeps the source of one deploy that failed.
func (s *Sources) DropSuperseded(ctx context.Context, op cluster.Operation) error {
	list, err := s.cfg.Store.Superseded(ctx, op)
	if err != nil {
		return err
	}
	keeping, err := s.cfg.Store.DeploysKeepingSource(ctx, op.AppID)
	if err != nil {
		return err
	}
	var errs []error
	for _, op := range append(list, op) {
		if !slices.ContainsFunc(keeping, func(k cluster.Operation) bool { return k.ID == op.ID }) {
			errs = append(errs, s.Drop(ctx, op))
		}
	}
	return errors.Join(errs...)
}
