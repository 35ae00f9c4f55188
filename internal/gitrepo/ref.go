package gitrepo

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"aorta/pacemaker/cluster"
)

// NoCommit is what git's protocols say in place of a commit that is not there:
// as the old id of a new branch, as the new id of a deleted one.
const NoCommit = "0000000000000000000000000000000000000000"

// holdPrefix is where held commits live: hidden from fetch and push.
const holdPrefix = "refs/aorta/operations/"

// keptPrefix is where commits are kept that a branch left by a rollback.
const keptPrefix = "refs/aorta/kept/"

var (
	commitPattern    = regexp.MustCompile(`^[0-9a-f]{40}$`)
	operationPattern = regexp.MustCompile(`^[0-9a-z](?:[0-9a-z-]{0,62}[0-9a-z])?$`)
	refPattern       = regexp.MustCompile(`^refs(?:/[A-Za-z0-9_][A-Za-z0-9_-]*)+$`)
)

// ValidCommit tells whether s is a whole commit id, 40 lower-case hex digits.
func ValidCommit(s string) bool { return commitPattern.MatchString(s) && s != NoCommit }

func checkCommit(field, id string) error {
	if !ValidCommit(id) {
		return cluster.Invalid(field, "%.80q is not a commit id (40 hex digits)", id)
	}
	return nil
}

func checkRef(ref string) error {
	if !refPattern.MatchString(ref) || len(ref) > 200 {
		return cluster.Invalid("ref", "%.80q is not a ref that is used here", ref)
	}
	return nil
}

func holdRef(op string) (string, error) {
	if !operationPattern.MatchString(op) {
		return "", cluster.Invalid("operation", "%.80q is not an operation's id", op)
	}
	return holdPrefix + op, nil
}

// Hold keeps a commit, and all that it needs, from being tidied away until
// Release is called for the same operation. Holding again moves the hold.
func (r Repo) Hold(ctx context.Context, commit, op string) error {
	ref, err := holdRef(op)
	if err != nil {
		return err
	}
	if err := checkCommit("commit", commit); err != nil {
		return err
	}
	if _, err := r.run(ctx, "update-ref", "--no-deref", "--", ref, commit); err != nil {
		return fmt.Errorf("hold commit %s: %w", commit, err)
	}
	return nil
}

// Keep keeps a commit, and all that it needs, for as long as the repository is.
func (r Repo) Keep(ctx context.Context, commit string) error {
	if err := checkCommit("commit", commit); err != nil {
		return err
	}
	if _, err := r.run(ctx, "update-ref", "--no-deref", "--", keptPrefix+commit, commit); err != nil {
		return fmt.Errorf("keep commit %s: %w", commit, err)
	}
	return nil
}

// Release ends an operation's hold. It is no error when there is none.
func (r Repo) Release(ctx context.Context, op string) error {
	ref, err := holdRef(op)
	if err != nil {
		return err
	}
	if _, err := r.run(ctx, "update-ref", "--no-deref", "-d", "--", ref); err != nil {
		return fmt.Errorf("release operation %s: %w", op, err)
	}
	return nil
}

// Ref gives the commit that a full ref name such as refs/heads/main stands
// for, "" if there is no such ref.
func (r Repo) Ref(ctx context.Context, name string) (string, error) {
	if err := checkRef(name); err != nil {
		return "", err
	}
	out, err := r.run(ctx, "for-each-ref", "--format=%(refname) %(objectname)", "--", name)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	// The pattern also matches refs below the name.
	for line := range strings.Lines(out) {
		if ref, id, ok := strings.Cut(strings.TrimSpace(line), " "); ok && ref == name {
			return id, nil
		}
	}
	return "", nil
}

// MoveRef points ref at new on the condition that it points at old ("" or
// NoCommit: that there is none), else the answer is a conflict. A ref that is
// at new already is a success, so that a step that runs again ends well.
func (r Repo) MoveRef(ctx context.Context, ref, old, new string) error {
	if old == "" {
		old = NoCommit
	}
	if err := checkMove(ref, old, new); err != nil {
		return err
	}
	_, moveErr := r.run(ctx, "update-ref", "--no-deref", "--", ref, new, old)
	if moveErr == nil {
		return r.adoptHead(ctx, ref, old)
	}
	now, err := r.Ref(ctx, ref)
	switch {
	case err != nil:
		return err
	case now == new:
		return nil
	case now == old || now == "" && old == NoCommit:
		return fmt.Errorf("move %s to %s: %w", ref, new, moveErr)
	}
	return cluster.Conflict("%s moved to %.10s meanwhile (pull and push again)", strings.TrimPrefix(ref, "refs/heads/"), now)
}

func checkMove(ref, old, new string) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	if old != NoCommit {
		if err := checkCommit("old", old); err != nil {
			return err
		}
	}
	return checkCommit("new", new)
}

// adoptHead points HEAD at the first branch ever made, so that a clone of a
// repository with only master checks it out.
func (r Repo) adoptHead(ctx context.Context, ref, old string) error {
	if old != NoCommit || !strings.HasPrefix(ref, "refs/heads/") {
		return nil
	}
	out, err := r.run(ctx, "for-each-ref", "--count=2", "--format=%(refname)", "--", "refs/heads")
	if err != nil || strings.TrimSpace(out) != ref {
		return err
	}
	if _, err := r.run(ctx, "symbolic-ref", "--", "HEAD", ref); err != nil {
		return fmt.Errorf("point HEAD at %s: %w", ref, err)
	}
	return nil
}
