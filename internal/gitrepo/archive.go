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

// attributes stand above those of any commit: an archive leaves nothing out and
// changes nothing, as a checkout does.
const attributes = "* -export-ignore -export-subst\n"

// archiveConfig gives files and folders the modes of a checkout, 0644 and 0755.
// Files up to the threshold, in bytes, get the line endings and encodings that
// .gitattributes ask for: git holds those in memory, so larger ones come as they
// are stored.
var archiveConfig = append([]string{"tar.umask=0022", "core.bigFileThreshold=64m"}, noHooks...)

// Archive streams the files of a commit as a tar, as a clean checkout has them,
// behind a pax global header with the commit's id. Submodules come as empty
// directories. A stream that git could not finish ends in an error, never in a
// plain EOF. The caller closes it.
func (r Repo) Archive(ctx context.Context, commit string) (io.ReadCloser, error) {
	if err := checkCommit("commit", commit); err != nil {
		return nil, err
	}
	if err := r.writeFile("info/attributes", attributes); err != nil {
		return nil, fmt.Errorf("archive %s: %w", commit, err)
	}
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	a := &archive{ctx: ctx, cancel: cancel, stderr: &tail{limit: maxStderr}}
	a.cmd = command(ctx, r.Dir, archiveConfig, "archive", "--format=tar", "--", commit)
	a.cmd.Stderr = a.stderr
	out, err := a.cmd.StdoutPipe()
	if err == nil {
		err = start(a.cmd, MaxMemory)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("archive %s: %w", commit, err)
	}
	a.out = out
	return a, nil
}

type archive struct {
	ctx    context.Context
	cancel context.CancelFunc
	cmd    *exec.Cmd
	out    io.Reader
	stderr *tail
	ended  bool
	err    error // how git ended, once it has
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
		a.err = failure(a.ctx, "archive", a.stderr, err)
	}
	a.cancel()
	return a.err
}
