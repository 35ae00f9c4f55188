package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"aorta/pacemaker/cluster"
)

// Move is one change of a ref. From is empty for a ref that is to be made.
type Move struct{ Ref, From, To string }

// GoesForward refuses a move that would leave out a commit.
func (s *Sources) GoesForward(ctx context.Context, app cluster.ID, m Move) error {
	if m.From != "" {
		ok, err := s.Repo(app).IsAncestor(ctx, m.From, m.To)
		if err != nil || ok {
			return err
		}
	}
	return cluster.Conflict("%s moved meanwhile: pull and push again", strings.TrimPrefix(m.Ref, "refs/heads/"))
}

// MovesFrom gives the commit that a deploy's ref is to leave: the one that it
// was recorded with, or a later one on the way to the deploy's own. A deploy
// that is asked for again may find it there, if it waited behind another one.
func (s *Sources) MovesFrom(ctx context.Context, app cluster.ID, args cluster.Request) (string, error) {
	have, err := s.Repo(app).Ref(ctx, args.Ref)
	if err != nil || have == args.Old || have == args.Commit {
		return have, err
	}
	return have, s.GoesForward(ctx, app, Move{Ref: args.Ref, From: have, To: args.Commit})
}

// MoveForward points a deploy's ref at its commit. A commit that the ref leaves
// for one that does not come after it is kept: releases of it, and of those before
// it, may be rolled back to or need another build.
func (s *Sources) MoveForward(ctx context.Context, app cluster.ID, args cluster.Request) error {
	from, err := s.MovesFrom(ctx, app, args)
	if err != nil {
		return err
	}
	repo := s.Repo(app)
	if from != "" {
		after, err := repo.IsAncestor(ctx, from, args.Commit)
		if err == nil && !after {
			err = repo.Keep(ctx, from)
		}
		if err != nil {
			return err
		}
	}
	return repo.MoveRef(ctx, args.Ref, from, args.Commit)
}

// branches are those that apps are deployed from; most have one of them.
var branches = []string{"refs/heads/main", "refs/heads/master"}

// MoveBack points an app's branch at the commit that serves now, and keeps the
// one that it leaves. Of two branches it is the one at the commit that served
// before. The answer has no Ref when there is no such branch, and no To when it
// stays since the repository does not have the commit (any more).
func (s *Sources) MoveBack(ctx context.Context, app cluster.ID, before, to string) (Move, error) {
	m, err := s.deployedBranch(ctx, app, before)
	if err != nil || m.Ref == "" || m.From == to || to == "" {
		return m, err
	}
	repo := s.Repo(app)
	if there, err := repo.IsCommit(ctx, to); err != nil || !there {
		return m, err
	}
	if err := repo.Keep(ctx, m.From); err != nil {
		return m, err
	}
	if err := repo.MoveRef(ctx, m.Ref, m.From, to); err != nil {
		return m, err
	}
	m.To = to
	return m, nil
}

// deployedBranch gives the branch to move, as Ref and From.
func (s *Sources) deployedBranch(ctx context.Context, app cluster.ID, commit string) (Move, error) {
	repo := s.Repo(app)
	if _, err := os.Stat(repo.Dir); errors.Is(err, fs.ErrNotExist) {
		return Move{}, nil // nothing was ever pushed
	}
	var found []Move
	for _, ref := range branches {
		at, err := repo.Ref(ctx, ref)
		if err != nil {
			return Move{}, err
		}
		if at == commit && at != "" {
			return Move{Ref: ref, From: at}, nil
		}
		if at != "" {
			found = append(found, Move{Ref: ref, From: at})
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return Move{}, nil
}
