package gitrepo

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// maxSubject is the length of a subject in characters; longer ones are clipped.
const maxSubject = 120

// IsCommit tells whether id names a commit that is here, rather than a tag, a
// tree, a file, or nothing.
func (r Repo) IsCommit(ctx context.Context, id string) (bool, error) {
	if err := checkCommit("commit", id); err != nil {
		return false, err
	}
	out, err := r.run(ctx, "cat-file", "-t", id)
	if code := exitCode(err); code == 1 || code == 128 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read object %s: %w", id, err)
	}
	return strings.TrimSpace(out) == "commit", nil
}

// IsAncestor tells whether commit a is b or one of b's ancestors.
func (r Repo) IsAncestor(ctx context.Context, a, b string) (bool, error) {
	if err := checkCommit("a", a); err != nil {
		return false, err
	}
	if err := checkCommit("b", b); err != nil {
		return false, err
	}
	_, err := r.run(ctx, "merge-base", "--is-ancestor", "--", a, b)
	if exitCode(err) == 1 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("compare %s and %s: %w", a, b, err)
	}
	return true, nil
}

// Commit is what a commit says of itself: valid UTF-8, without control characters,
// 120 characters at most each.
type Commit struct {
	Subject string // the first line of its message
	Author  string // who wrote it, by name
}

// Commit reads a commit.
func (r Repo) Commit(ctx context.Context, id string) (Commit, error) {
	if err := checkCommit("commit", id); err != nil {
		return Commit{}, err
	}
	out, err := r.run(ctx, "log", "-1", "--no-show-signature", "--no-mailmap", "--encoding=UTF-8", "--format=%an%n%s", id, "--")
	if err != nil {
		return Commit{}, fmt.Errorf("read commit %s: %w", id, err)
	}
	author, subject, _ := strings.Cut(out, "\n")
	return Commit{Subject: clipSubject(subject), Author: clipSubject(author)}, nil
}

func clipSubject(s string) string {
	s, _, _ = strings.Cut(strings.ToValidUTF8(s, "�"), "\n")
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsGraphic(c) {
			return -1
		}
		return c
	}, s))
	if chars := []rune(s); len(chars) > maxSubject {
		return string(chars[:maxSubject-1]) + "…"
	}
	return s
}
