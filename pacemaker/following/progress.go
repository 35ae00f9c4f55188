package following

import (
	"context"
	"errors"
	"strings"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Printf writes one line for a person at a terminal.
type Printf func(format string, args ...any)

// Print follows an operation for a person at a terminal. It returns the cause
// of one that did not succeed.
func (o *Following) Print(ctx context.Context, id cluster.ID, printf Printf) error {
	var cause error
	states := map[string]jobs.State{}
	err := o.Follow(ctx, id, Position{}, func(u Update) error {
		switch {
		case u.Line != nil:
			printf("  %s", u.Line.Text)
		case u.Waits != nil:
			PrintWaiting(*u.Waits, printf)
		case u.Job != nil && states[u.Job.ID] != u.Job.State:
			states[u.Job.ID] = u.Job.State
			printJob(u.Job, printf)
		case u.End != nil && u.End.State != cluster.OperationSucceeded:
			cause = cluster.Conflict("%s", u.End.Error)
		}
		return nil
	})
	return errors.Join(err, cause)
}

// PrintWaiting says which operation has to end first.
func PrintWaiting(first cluster.Operation, printf Printf) {
	user := first.User
	if user == "" {
		user = "the platform"
	}
	printf("Waiting for another job to end: %s (by %s).", first.Title, user)
}

func printJob(j *jobs.Job, printf Printf) {
	switch {
	case j.Parent == "":
	case j.State == jobs.Running:
		printf("%s", j.Title)
	case j.State == jobs.Ready && j.Error != "": // of the attempt before
		first, _, _ := strings.Cut(j.Error, "\n")
		printf("%s is tried again: %s", j.Title, first)
	case j.State == jobs.Failed:
		first, rest, more := strings.Cut(j.Error, "\n")
		printf("%s failed: %s", j.Title, first)
		if more {
			printf("  %s", strings.ReplaceAll(rest, "\n", "\n  "))
		}
	}
}
