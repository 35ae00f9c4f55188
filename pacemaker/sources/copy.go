package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// Copy gives a retry of a deploy a source of its own, so that either of the two
// can go without the other. It is there before the operation is.
func (s *Sources) Copy(ctx context.Context, old, op cluster.Operation, args *cluster.Request) (store.Part, error) {
	was, err := s.cfg.Store.Build(ctx, args.Build)
	if err != nil {
		return nil, err
	}
	args.Build = cluster.DeriveID(op.ID, "build", 0)
	switch was.Kind {
	case cluster.SourceCommit:
		err = s.holdAgain(ctx, op, *args)
	case cluster.SourceArchive:
		err = os.Link(s.ArchivePath(was.ID), s.ArchivePath(args.Build))
		if errors.Is(err, fs.ErrNotExist) {
			err = cluster.Conflict("the archive of job %s (%s) is not kept any more, only that of an app's last deploy is: deploy its files again (aorta deploy)", old.ID.Short(), old.Title)
		}
	}
	return store.WithBuild(args.Build, was.Kind, was.Source), err
}

// holdAgain holds a pushed commit once more, if its ref may still go there.
func (s *Sources) holdAgain(ctx context.Context, op cluster.Operation, args cluster.Request) error {
	there, err := s.Repo(op.AppID).IsCommit(ctx, args.Commit)
	if err != nil {
		return err
	}
	if !there {
		return cluster.Conflict("commit %.10s is not kept any more: push it again (git push aorta main)", args.Commit)
	}
	if args.Ref != "" {
		if _, err := s.MovesFrom(ctx, op.AppID, args); err != nil {
			return err
		}
	}
	return s.Repo(op.AppID).Hold(ctx, args.Commit, string(op.ID))
}
