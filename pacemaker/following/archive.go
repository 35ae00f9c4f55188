package following

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// ArchivedLine is one line of a job's log in the archive.
type ArchivedLine struct {
	Job  string `json:"job"`
	Line Line   `json:"line"`
}

// sortLines puts lines in the order in which they were written.
func sortLines(lines []ArchivedLine) {
	slices.SortFunc(lines, func(a, b ArchivedLine) int {
		return cmp.Or(slices.Compare(cursorParts(a.Line.Cursor), cursorParts(b.Line.Cursor)), cmp.Compare(a.Job, b.Job))
	})
}

// Archived gives an ended operation's tree and the log of all its jobs, in the
// order in which it was written.
func (o *Following) Archived(ctx context.Context, id cluster.ID) (*jobs.Tree, []ArchivedLine, error) {
	rawTree, rawLog, err := o.cfg.Store.Archived(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	var tree jobs.Tree
	if err := json.Unmarshal(rawTree, &tree); err != nil {
		return nil, nil, fmt.Errorf("read the archived tree %s: %w", id, err)
	}
	var lines []ArchivedLine
	if err := json.Unmarshal(rawLog, &lines); err != nil {
		return nil, nil, fmt.Errorf("read the archived log of %s: %w", id, err)
	}
	return &tree, lines, nil
}

// WholeLog reads the logs of all jobs of a tree, oldest line first. A log that
// can't be read is left out: the archive must not hold up the end.
func (o *Following) WholeLog(ctx context.Context, t *jobs.Tree) []ArchivedLine {
	out := []ArchivedLine{}
	for id := range t.Jobs {
		lines, err := o.cfg.Jobs.Log(ctx, id, "")
		if err != nil {
			continue
		}
		for _, l := range lines {
			out = append(out, ArchivedLine{Job: id, Line: l})
		}
	}
	sortLines(out)
	return out
}

// Tree is an operation's job tree, from the archive once it has ended.
// jobs.ErrNotFound: it waits for its turn.
func (o *Following) Tree(ctx context.Context, op cluster.Operation) (*jobs.Tree, error) {
	if op.State == cluster.OperationOpen {
		return o.cfg.Jobs.Tree(ctx, string(op.ID))
	}
	tree, _, err := o.Archived(ctx, op.ID)
	return tree, err
}

// TreeLog is the log of all jobs of an operation, oldest line first.
func (o *Following) TreeLog(ctx context.Context, op cluster.Operation) ([]ArchivedLine, error) {
	if op.State != cluster.OperationOpen {
		_, lines, err := o.Archived(ctx, op.ID)
		return lines, err
	}
	tree, err := o.cfg.Jobs.Tree(ctx, string(op.ID))
	if err != nil {
		return []ArchivedLine{}, nil // nothing was logged before its turn
	}
	return o.WholeLog(ctx, tree), nil
}
