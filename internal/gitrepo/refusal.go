package gitrepo

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"aorta/internal/disk"
	"aorta/pacemaker/cluster"
)

// unwritten is how git words that it could not write, also where it does not say why.
var unwritten = regexp.MustCompile(`(?i)(unable|failed|cannot|could not|can't) (to )?(create|write|append|open|lock|mkdir|rename|update)`)

// Refusal is the error of a disk that a text of git's speaks of, nil for none.
func Refusal(text string) error {
	text = strings.ToLower(text)
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if strings.Contains(text, errno.Error()) {
			return errno
		}
	}
	return nil
}

// byDisk is the error of a git command, and of one that could not write one that says
// what its disk has against that. Git leaves it out for folders.
func (r Repo) byDisk(stderr string, err error) error {
	if errno := Refusal(stderr); errno != nil {
		return disk.Explain(r.Dir, fmt.Errorf("%w: %w", errno, err))
	}
	if !unwritten.MatchString(stderr) {
		return err
	}
	if refused := disk.Try(r.Dir); disk.Refused(refused) {
		return disk.Explain(r.Dir, errors.Join(refused, err))
	}
	if strings.Contains(stderr, "unable to create directory") {
		return &cluster.Error{Code: cluster.CodeUnavailable, Err: err, Message: fmt.Sprintf("nothing could be written at %s for a moment, and now it can: its disk was full, most likely; see what is free (df -h %[1]s) and try again", r.Dir)}
	}
	return err
}
