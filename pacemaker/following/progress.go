package following

import (
	"context"
	"slices"
	"strings"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/steps"
)

// Printf writes one line for a person at a terminal.
type Printf func(format string, args ...any)

// Print follows an operation for a person at a terminal. Of one that did not
// succeed it prints the cause, and gives the same in a few words.
func (o *Following) Print(ctx context.Context, id cluster.ID, printf Printf) (failed string, err error) {
	printer := steps.NewPrinter(func(text string) { printf("%s", text) }, steps.Plain)
	var all []steps.Step
	err = o.Follow(ctx, id, Position{}, func(u Update) error {
		switch {
		case u.Line != nil:
			printer.Log(u.LineOf, u.Line.Text)
		case u.Waits != nil:
			PrintWaiting(*u.Waits, printf)
		case u.Step != nil:
			printer.Step(*u.Step)
			all = append(all, *u.Step)
		case u.End != nil && u.End.State != cluster.OperationSucceeded:
			failed = printFailure(*u.End, all, printf)
		}
		return nil
	})
	return failed, err
}

// printFailure prints why an operation did not succeed, once, and gives it in short.
func printFailure(op cluster.Operation, all []steps.Step, printf Printf) string {
	first, rest, _ := strings.Cut(strings.TrimRight(op.Error, "\n"), "\n")
	if op.State == cluster.OperationAborted {
		if !strings.HasPrefix(first, "cancelled") { // by whom, otherwise
			first = strings.TrimSuffix("cancelled: "+first, ": ")
		}
		printf("The operation was %s.", first)
		return first
	}
	where := "The operation failed"
	if i := slices.IndexFunc(all, func(s steps.Step) bool { return s.Parent == "" && s.Failed() }); i >= 0 {
		where = all[i].Name + " failed"
	}
	printf("%s: %s", where, first)
	if rest != "" {
		printf("  %s", strings.ReplaceAll(rest, "\n", "\n  "))
	}
	return where
}

// PrintWaiting says which operation has to end first.
func PrintWaiting(first cluster.Operation, printf Printf) {
	user := first.User
	if user == "" {
		user = "Aorta"
	}
	printf("Waiting for another job to end: %s (by %s).", first.Title, user)
	printf("To see it: aorta jobs follow %[1]s; to end it now: aorta jobs abort %[1]s", first.ID.Short())
}
