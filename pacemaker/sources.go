package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
)

// draftLimit is how long a source may be there before its operation is: an
// upload takes its time.
const draftLimit = 24 * time.Hour

// keepAgain gives a repeat of a deploy a source of its own, so that either of
// the two can go without the other. It is there before the operation is.
func (p *Pacemaker) keepAgain(ctx context.Context, old, op cluster.Operation, args *opArgs) (store.Part, error) {
	was, err := p.store.Build(ctx, args.Build)
	if err != nil {
		return nil, err
	}
	args.Build = cluster.DeriveID(op.ID, "build", 0)
	switch was.Kind {
	case cluster.SourceCommit:
		err = p.holdAgain(ctx, op, *args)
	case cluster.SourceArchive:
		err = os.Link(p.sourcePath(was.ID), p.sourcePath(args.Build))
		if errors.Is(err, fs.ErrNotExist) {
			err = cluster.Conflict("the archive of job %s (%s) is not kept any more: deploy it again", old.ID.Short(), old.Title)
		}
	}
	return store.WithBuild(args.Build, was.Kind, was.Source), err
}

// holdAgain holds a pushed commit once more, if its ref may still go there.
func (p *Pacemaker) holdAgain(ctx context.Context, op cluster.Operation, args opArgs) error {
	there, err := p.repo(op.AppID).IsCommit(ctx, args.Commit)
	if err != nil {
		return err
	}
	if !there {
		return cluster.Conflict("commit %.10s is not kept any more: push it again (git push aorta main)", args.Commit)
	}
	if args.Ref != "" {
		if _, err := p.movesFrom(ctx, op.AppID, args); err != nil {
			return err
		}
	}
	return p.repo(op.AppID).Hold(ctx, args.Commit, string(op.ID))
}

// letGo removes what a deploy was kept for: the hold of its commit, which Git
// may tidy away then if no ref took it over, and its archive.
func (p *Pacemaker) letGo(ctx context.Context, op cluster.Operation) error {
	args, err := argsOf(op)
	if err != nil {
		return err
	}
	repo := p.repo(op.AppID)
	if _, gone := os.Stat(repo.Dir); args.Commit != "" && gone == nil {
		if err := repo.Release(ctx, string(op.ID)); err != nil {
			return err
		}
	}
	return p.dropArchive(op)
}

func (p *Pacemaker) dropArchive(op cluster.Operation) error {
	args, err := argsOf(op)
	if err != nil || args.Build == "" {
		return err
	}
	if err := os.Remove(p.sourcePath(args.Build)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the archive of job %s: %w", op.ID, err)
	}
	return nil
}

// letGoBehind lets go of a deploy that succeeded, and of those before it that
// can't be asked for again now.
func (p *Pacemaker) letGoBehind(ctx context.Context, op cluster.Operation) error {
	list, err := p.store.Superseded(ctx, op)
	if err != nil {
		return err
	}
	var errs []error
	for _, op := range append(list, op) {
		errs = append(errs, p.letGo(ctx, op))
	}
	return errors.Join(errs...)
}

// tidySources removes the archives and the holds of commits that no deploy
// needs any more: what a crash left between a source and its operation, or
// between an operation's end and its tidying up, and what was forgotten with
// the operation.
func (p *Pacemaker) tidySources(ctx context.Context) error {
	list, err := p.store.SourceKeepers(ctx, "")
	if err != nil {
		return err
	}
	kept := map[cluster.ID]bool{}
	for _, op := range list {
		args, err := argsOf(op)
		if err != nil {
			return err
		}
		kept[op.ID], kept[args.Build] = true, true
	}
	return errors.Join(p.tidyArchives(kept), p.tidyHolds(ctx, kept))
}

func (p *Pacemaker) tidyArchives(kept map[cluster.ID]bool) error {
	files, err := os.ReadDir(p.cfg.SourcesDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the archives: %w", err)
	}
	var errs []error
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), sourceSuffix)
		if id := cluster.ID(name); ok && p.leftBehind(id, kept) {
			errs = append(errs, os.Remove(p.sourcePath(id)))
		}
	}
	return errors.Join(errs...)
}

func (p *Pacemaker) tidyHolds(ctx context.Context, kept map[cluster.ID]bool) error {
	apps, err := p.store.Apps(ctx, "", -1)
	if err != nil {
		return err
	}
	var errs []error
	for _, app := range apps {
		repo := p.repo(app.ID)
		held, err := repo.Held()
		errs = append(errs, err)
		for _, id := range held {
			if p.leftBehind(cluster.ID(id), kept) {
				errs = append(errs, repo.Release(ctx, id))
			}
		}
	}
	return errors.Join(errs...)
}

// leftBehind says of a source's id that nothing keeps it, and that nothing is
// about to.
func (p *Pacemaker) leftBehind(id cluster.ID, kept map[cluster.ID]bool) bool {
	_, err := cluster.ParseID(string(id))
	return err == nil && !kept[id] && p.cfg.Now().Sub(id.Time()) > draftLimit
}
