package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// startsWork adds the flag --detach to a command that starts a job.
func startsWork(s *session, cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&s.flags.detach, "detach", false, "print the job's id instead of waiting for it")
	return cmd
}

// follow prints the job's progress until it ends, then calls done (may be nil) if
// it succeeded. A failure is reported with its cause and last log lines.
func (s *session) follow(ctx context.Context, api *client.Client, work wire.Accepted, done func()) error {
	switch {
	case work.Job == "":
		s.err.line("%s", clean(orText(work.Message, "nothing to do")))
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
	shown := newProgress(s.err, s.p.Now)
	root, err := api.FollowJob(ctx, id, client.JobFeed{Job: shown.job, Step: shown.step, Log: shown.log})
	shown.close()
	switch {
	case errors.Is(err, context.Canceled):
		s.err.line("stopped following; the job goes on. To follow it: aorta jobs follow %s  To cancel it: aorta jobs abort %s", short(id), short(id))
		return errReported
	case cluster.CodeOf(err) == cluster.CodeUnavailable && err != nil:
		return fmt.Errorf("%w The job goes on once it is back; follow it then: aorta jobs follow %s", err, short(id))
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
		s.err.line("%s", outline{out: s.err, now: s.p.Now()}.title(root))
		if done != nil {
			done()
		}
		return nil
	case client.JobAborted:
		s.err.line("%s %s %s (see aorta jobs show %s)", s.err.paint(bad, "error:"), titleOf(root), cancelledText(root), short(id))
	default:
		s.reportFailure(ctx, api, shown, root)
	}
	if root.Outcome != "" {
		s.err.line("%s", clean(root.Outcome))
	}
	return errReported
}

// cancelledText says by whom or why a job was cancelled, as a push does.
func cancelledText(root wire.Job) string {
	why := clean(firstLine(root.Error))
	switch {
	case why == "":
		return "was cancelled"
	case strings.HasPrefix(why, "cancelled"): // by somebody
		return "was " + why
	}
	return "was cancelled: " + why
}

// reportFailure prints what failed, why, its last log lines unless they were shown
// already, and where to see more.
func (s *session) reportFailure(ctx context.Context, api *client.Client, shown *progress, root wire.Job) {
	s.err.line("%s %s", s.err.paint(bad, "error:"), failureText(root, shown))
	if _, at, found := shown.failed(); found && !slices.ContainsFunc(at.Jobs, func(id string) bool { return shown.logged[id] }) {
		last := s.lastLines(ctx, api, s.err, root.ID)
		for _, id := range at.Jobs {
			for _, l := range last[id] {
				s.err.line("  │ %s", l)
			}
		}
	}
	s.err.line("  see all steps: aorta jobs show %s", short(root.ID))
}

// lastLines are the last log lines of each job of a tree; none if they can't be
// fetched, since the failure itself matters more.
func (s *session) lastLines(ctx context.Context, api *client.Client, to *screen, root string) map[string][]string {
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
