package rig

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"aorta/internal/gitrepo"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// Repo is an app's repository, in which the test commits.
type Repo struct {
	gitrepo.Repo
	tb testing.TB
}

// NewRepo lets a test commit in a repository.
func NewRepo(tb testing.TB, repo gitrepo.Repo) Repo { return Repo{repo, tb} }

// Commit makes a commit of no files on top of others, or on nothing.
func (r Repo) Commit(message string, parents ...string) string {
	r.tb.Helper()
	args := []string{"commit-tree", "-m", message, r.Git("hash-object", "-w", "-t", "tree", os.DevNull)}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	return r.Git(args...)
}

// Git runs git there and gives what it prints.
func (r Repo) Git(args ...string) string {
	r.tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@test.local", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@test.local")
	out, err := cmd.Output()
	if err != nil {
		r.tb.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// Holds says whether a commit is held for an operation.
func (r Repo) Holds(op cluster.Operation) bool {
	r.tb.Helper()
	ids, err := r.Held()
	testkit.Must(r.tb, err)
	return slices.Contains(ids, string(op.ID))
}
