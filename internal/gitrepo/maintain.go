package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxPacks and maxLooseRefs are how many may gather before they are packed:
	// each push leaves a pack, and every lookup of an object searches all of them.
	maxPacks     = 10
	maxLooseRefs = 20
	// pruneInterval is the time between two prunings of a repository that changes,
	// and pruneGrace, in git's words, how long unreachable objects are kept.
	pruneInterval = 24 * time.Hour
	pruneGrace    = "1.day.ago"
	// refusedInterval and refusedGrace are the same once a push was refused: whoever
	// may push could fill the disk in a day.
	refusedInterval = time.Hour
	refusedGrace    = "10.minutes.ago"
	// maintainTimeout bounds the maintenance of one repository.
	maintainTimeout = 4 * time.Minute
	// unfinishedAge is the age from which an unfinished pack is of a repack that
	// was killed together with this program: none runs for so long.
	unfinishedAge = time.Hour
	// prunedFile says, by its time, when the repository was pruned last, and holds
	// the digest of its contents then.
	prunedFile = "aorta-pruned"
	// refusedFile says that objects of a refused push may be there.
	refusedFile = "aorta-refused"
)

// NoteRefused has what a refused push brought dropped by the maintenance within two
// hours, not after a day.
func (r Repo) NoteRefused() error {
	if err := os.WriteFile(filepath.Join(r.Dir, refusedFile), nil, 0o600); err != nil {
		return fmt.Errorf("note a refused push: %w", err)
	}
	return nil
}

// Maintain packs what pushes have left behind and, once a day, drops objects
// that no ref has reached for a day, sooner after a push that was refused. Refs that hold commits are refs like any
// other here. Pushes may come at any time: packing loses nothing, and pruning
// makes way for them. It starts no git where nothing is to be done, runs at the
// lowest priority and takes four minutes at most.
func (r Repo) Maintain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maintainTimeout)
	defer cancel()
	if err := errors.Join(r.dropUnfinished("*", unfinishedAge), r.dropIncoming(ctx)); err != nil {
		return err
	}
	c, err := r.contents()
	if err != nil {
		return err
	}
	if c.looseRefs > maxLooseRefs {
		if err := r.work(ctx, "pack-refs", "--all", "--prune"); err != nil {
			return err
		}
	}
	grace, err := r.pruneDue(c)
	if err != nil {
		return err
	}
	if grace != "" {
		pruned, err := r.prune(ctx, grace)
		if pruned || err != nil {
			return err
		}
	}
	if c.packs > maxPacks {
		// Each pack left is at least twice as large as all smaller ones together,
		// so that there are few, and old objects are seldom written again.
		return r.work(ctx, "repack", "-d", "-q", "--geometric=2")
	}
	return nil
}

// pruneDue says, by the grace that objects have, that the last pruning is a day ago,
// an hour after a refused push, and that something has changed since or is still in
// its grace. Empty: it is not due.
func (r Repo) pruneDue(c contents) (grace string, err error) {
	if c.packs == 0 {
		return "", nil
	}
	grace, interval := pruneGrace, pruneInterval
	if r.hasRefused() {
		grace, interval = refusedGrace, refusedInterval
	}
	path := filepath.Join(r.Dir, prunedFile)
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return grace, nil
	}
	if err != nil || time.Since(st.ModTime()) < interval {
		return "", err
	}
	last, err := os.ReadFile(path)
	if err != nil || !c.cruft && string(last) == c.digest {
		return "", err
	}
	return grace, nil
}

func (r Repo) hasRefused() bool {
	_, err := os.Stat(filepath.Join(r.Dir, refusedFile))
	return err == nil
}

// prune packs all that refs reach into one pack, and what they don't into
// another one without what has been there for longer than the grace. It says
// whether it came to its end: a push cancels it, and keeps it from beginning.
func (r Repo) prune(ctx context.Context, grace string) (bool, error) {
	ran, err := pushes.prune(ctx, r.Dir, func(ctx context.Context) error {
		if err := r.dropKeepFiles(); err != nil {
			return err
		}
		if err := r.work(ctx, "repack", "-d", "-l", "-q", "--cruft", "--cruft-expiration="+grace); err != nil {
			return err
		}
		if err := r.work(ctx, "prune", "--expire="+grace); err != nil {
			return err
		}
		c, err := r.contents()
		if err != nil {
			return err
		}
		if !c.cruft { // nothing of it is left, and no push is under way
			_ = os.Remove(filepath.Join(r.Dir, refusedFile))
		}
		return os.WriteFile(filepath.Join(r.Dir, prunedFile), []byte(c.digest), 0o600)
	})
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return false, nil // a push came
	}
	return ran, err
}

// dropKeepFiles removes the marks by which a push keeps its pack from being
// packed again: with no push under way they are of processes that were killed.
func (r Repo) dropKeepFiles() error {
	marks, err := filepath.Glob(filepath.Join(r.packDir(), "*.keep"))
	if err != nil {
		return err
	}
	for _, path := range marks {
		text, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(text), "receive-pack ") {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop the mark of a push that was killed: %w", err)
		}
	}
	return nil
}

// dropIncoming removes what pushes brought whose git was killed before it could: with
// no push under way nobody needs it.
func (r Repo) dropIncoming(ctx context.Context) error {
	left, err := filepath.Glob(filepath.Join(r.Dir, "objects", "tmp_objdir-*"))
	if err != nil || len(left) == 0 {
		return err
	}
	_, err = pushes.prune(ctx, r.Dir, func(context.Context) error {
		var errs []error
		for _, dir := range left {
			errs = append(errs, os.RemoveAll(dir))
		}
		return errors.Join(errs...)
	})
	return err
}

// lowestPriority is the nice value of git's own work.
const lowestPriority = 19

// work runs a git command that may take minutes, behind everything else.
func (r Repo) work(ctx context.Context, args ...string) error {
	cmd := command(ctx, r.Dir, noHooks, args...)
	stderr := &tail{limit: maxStderr}
	cmd.Stderr = stderr
	if err := start(cmd, MaxMemory); err != nil {
		return failure(ctx, args[0], stderr, err)
	}
	_ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, lowestPriority) // it may have ended already
	if err := cmd.Wait(); err != nil {
		return errors.Join(failure(ctx, args[0], stderr, err), r.dropUnfinished(strconv.Itoa(cmd.Process.Pid), 0))
	}
	return nil
}

// dropUnfinished removes the packs that a repack, named by its process id or by
// *, was about to put in place when it was killed, if they have lain there for so
// long. Git cleans up after itself, but not after a child that ends later than
// its parent, and takes such a file for a pack that it then can't read.
func (r Repo) dropUnfinished(pid string, age time.Duration) error {
	files, err := filepath.Glob(filepath.Join(r.packDir(), ".tmp-"+pid+"-pack-*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		st, err := os.Stat(path)
		if err == nil && time.Since(st.ModTime()) >= age {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop what an interrupted repack left: %w", err)
		}
	}
	return nil
}
