package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// startsWork gives a command that starts a job tree the flag to leave it alone.
func startsWork(s *session, cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&s.flags.detach, "detach", false, "print the job's id and don't wait for it")
	return cmd
}

// follow shows the work that was accepted until it has ended, and calls done
// when it succeeded (nil: nothing is said). A failed tree is told in full.
func (s *session) follow(ctx context.Context, api *client.Client, work wire.Accepted, done func()) error {
	switch {
	case work.Job == "":
		s.err.line("%s", clean(orText(work.Message, "nothing had to be done")))
	case s.flags.detach && !s.flags.json:
		s.out.line("%s", clean(work.Job))
		return nil
	case !s.flags.detach:
		return s.followJob(ctx, api, work.Job, done)
	}
	if s.flags.json {
		return s.out.json(work)
	}
	return nil
}

func (s *session) followJob(ctx context.Context, api *client.Client, id string, done func()) error {
	t := newTree(s.err, s.p.Now)
	root, err := api.FollowJob(ctx, id, client.JobFeed{Job: t.job, Log: t.log})
	switch {
	case errors.Is(err, context.Canceled):
		s.err.line("left alone; the job goes on. Follow it: aorta jobs follow %s  End it: aorta jobs abort %s", id, id)
		return errTold
	case cluster.CodeOf(err) == cluster.CodeUnavailable && err != nil:
		return fmt.Errorf("%w The job goes on when it is back; follow it then: aorta jobs follow %s", err, id)
	case err != nil:
		return err
	}
	if s.flags.json {
		if err := s.showJob(ctx, api, id); err != nil {
			return err
		}
	}
	switch root.State {
	case client.JobSucceeded:
		if done != nil {
			done()
		}
		return nil
	case client.JobAborted:
		s.err.line("%s %s was aborted (what it did: aorta jobs show %s)", s.err.paint(bad, "error:"), titleOf(root), id)
		return errTold
	}
	s.tellFailure(ctx, api, t, root)
	return errTold
}

// tellFailure names what failed, why, its last words and where to read on.
func (s *session) tellFailure(ctx context.Context, api *client.Client, t *tree, root wire.Job) {
	failed := t.culprit()
	if failed == nil {
		failed = &seenJob{Job: root}
	}
	where := ""
	if failed.ID != root.ID {
		where = fmt.Sprintf(" at %q", titleOf(failed.Job))
	}
	cause := orText(failed.Error, orText(root.Error, "no cause was given"))
	s.err.line("%s %s failed%s: %s", s.err.paint(bad, "error:"), titleOf(root), where, cleanBlock(cause))
	last := failed.lines
	if len(last) == 0 {
		last = s.lastWords(ctx, api, s.err, root.ID)[failed.ID]
	}
	for _, l := range last {
		s.err.line("  │ %s", l)
	}
	s.err.line("  the whole of it: aorta jobs show %s", root.ID)
}

// lastWords are the last log lines of each job of a tree. Without an answer there
// are none: the failure itself is what matters.
func (s *session) lastWords(ctx context.Context, api *client.Client, to *screen, root string) map[string][]string {
	log, err := api.JobLog(ctx, root)
	if err != nil {
		return nil
	}
	last := map[string][]string{}
	for _, l := range log {
		last[l.Job] = append(last[l.Job], to.cleanLog(l.Text))
		last[l.Job] = last[l.Job][max(0, len(last[l.Job])-keptLines):]
	}
	return last
}

func (s *session) showJob(ctx context.Context, api *client.Client, id string) error {
	j, err := api.Job(ctx, id)
	if err != nil {
		return err
	}
	return s.out.json(j)
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
