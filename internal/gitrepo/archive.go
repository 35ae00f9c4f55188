package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// archiveTimeout bounds how long one archive may take, its reader included.
const archiveTimeout = 15 * time.Minute

// Archive streams the files of a commit as a tar, behind a pax global header
// with the commit's id. Submodules come as empty directories. A stream that git could not finish ends in an error, never in a
// plain EOF. The caller closes it.
func (r Repo) Archive(ctx context.Context, commit string) (io.ReadCloser, error) {
	if err := checkCommit("commit", commit); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	a := &archive{ctx: ctx, cancel: cancel, complaint: &tail{limit: maxComplaint}}
	a.cmd = command(ctx, r.Dir, noHooks, "archive", "--format=tar", "--", commit)
	a.cmd.Stderr = a.complaint
	out, err := a.cmd.StdoutPipe()
	if err == nil {
		err = a.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("archive %s: %w", commit, err)
	}
	a.out = out
	return a, nil
}

type archive struct {
	ctx       context.Context
	cancel    context.CancelFunc
	cmd       *exec.Cmd
	out       io.Reader
	complaint *tail
	ended     bool
	err       error // how git ended, once it has
}

// Read turns git's own failure into the stream's.
func (a *archive) Read(p []byte) (int, error) {
	n, err := a.out.Read(p)
	if err == nil {
		return n, nil
	}
	if werr := a.wait(); werr != nil {
		return n, werr
	}
	if !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("read git archive: %w", err)
	}
	return n, io.EOF
}

// Close ends git if it still runs.
func (a *archive) Close() error {
	a.cancel()
	_ = a.wait()
	return nil
}

func (a *archive) wait() error {
	if a.ended {
		return a.err
	}
	a.ended = true
	if err := a.cmd.Wait(); err != nil {
		a.err = failure(a.ctx, "archive", a.complaint, err)
	}
	a.cancel()
	return a.err
}
