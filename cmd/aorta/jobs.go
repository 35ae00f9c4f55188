package main

import (
	"context"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

func jobsCommand(s *session) *cobra.Command {
	var n int
	var q client.JobQuery
	cmd := &cobra.Command{
		Use: "jobs", Short: "List what was and is being done; show, follow, abort, retry, discard it",
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) error {
			q.App = s.flags.app
			return s.listJobs(ctx, api, q, n)
		}),
	}
	f := cmd.Flags()
	f.IntVarP(&n, "lines", "n", 30, "the newest so many, 0 for all")
	f.StringVar(&q.Kind, "kind", "", "only of this kind: deploy, release, scale, restart, stop, retire, replace, destroy or prune")
	f.StringVar(&q.State, "state", "", "only of this state: open, succeeded, failed or aborted")
	f.StringVar(&q.Since, "since", "", "only those asked for since, such as 24h, 7d or 2026-01-02T15:04:05Z")
	f.StringVar(&q.Until, "until", "", "only those asked for before, likewise")
	f.BoolVar(&q.Attention, "attention", false, "only what failed and nobody has seen to")
	cmd.AddCommand(
		showJobCommand(s),
		&cobra.Command{Use: "follow ID", Short: "Show a job tree until it has ended", Args: cobra.ExactArgs(1), RunE: s.onJob(s.followFound)},
		&cobra.Command{Use: "abort ID", Short: "End a job tree; its clean-up still runs", Args: cobra.ExactArgs(1), RunE: s.onJob(s.abortJob)},
		startsWork(s, &cobra.Command{Use: "retry ID", Short: "Do again, as a new job, what one was asked to do that failed or was aborted", Args: cobra.ExactArgs(1), RunE: s.onJob(s.retryJob)}),
		&cobra.Command{Use: "discard ID", Short: "Let go of a job that failed or was aborted: no retry, no attention", Args: cobra.ExactArgs(1), RunE: s.onJob(s.discardJob)},
	)
	return cmd
}

// onJob runs a command about one job, named by its id or the short form.
func (s *session) onJob(run func(ctx context.Context, api *client.Client, id string) error) func(*cobra.Command, []string) error {
	return s.onCluster(func(ctx context.Context, api *client.Client, args []string) error {
		id, err := s.findJob(ctx, api, args[0])
		if err != nil {
			return err
		}
		return run(ctx, api, id)
	})
}

// searched is how many of the newest trees a short id is looked for in.
const searched = 200

func (s *session) findJob(ctx context.Context, api *client.Client, name string) (string, error) {
	if len(name) != 8 {
		return name, nil
	}
	roots, err := client.Collect(api.Jobs(ctx, client.JobQuery{}), searched)
	if err != nil {
		return "", err
	}
	found := ""
	for _, j := range roots {
		if cluster.ID(j.ID).Short() != name {
			continue
		}
		if found != "" {
			return "", usagef("%q names more than one job; give the whole id", clean(name))
		}
		found = j.ID
	}
	if found == "" {
		return "", cluster.NotFound("there is no job %q among the newest %d (they are: aorta jobs)", clean(name), searched)
	}
	return found, nil
}

func (s *session) listJobs(ctx context.Context, api *client.Client, q client.JobQuery, n int) error {
	var err error
	if q.Since, err = parseSince(q.Since); err != nil {
		return err
	}
	if q.Until, err = parseSince(q.Until); err != nil {
		return err
	}
	jobs, err := client.Collect(api.Jobs(ctx, q), n)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, jobs)
	}
	return s.printJobs(jobs, q != (client.JobQuery{}))
}

func (s *session) printJobs(jobs []wire.Job, searched bool) error {
	t := s.out.newTable("ID", "TITLE", "APP", "STATE", "PROGRESS", "CREATED", "TOOK")
	needy := 0
	for _, j := range jobs {
		if j.Attention {
			needy++
		}
		t.row(j.ID, titleOf(j), orText(j.App, "-"), standing(j), orText(progressOf(j.Progress), "-"), ageOf(s.p.Now(), j.CreatedAt), lasts(j, s.p.Now()))
	}
	empty := "no job yet"
	if searched {
		empty = "no job is like that"
	}
	if err := t.print(empty); err != nil || needy == 0 {
		return err
	}
	s.err.line("%d of them need attention: aorta jobs retry ID, or aorta jobs discard ID", needy)
	return nil
}

// standing is a root's state with what it waits for, or what it asks for.
func standing(j wire.Job) string {
	switch {
	case j.WaitsFor != nil:
		return waitsFor(*j.WaitsFor)
	case j.DiscardedAt != nil:
		return j.State + ", discarded"
	case j.Attention:
		return j.State + ", needs attention: " + orText(firstLine(j.Error), "no cause was given")
	}
	return j.State
}

func (s *session) followFound(ctx context.Context, api *client.Client, id string) error {
	// What is not there is said at once; the stream would wait for it.
	if _, err := api.Job(ctx, id); err != nil {
		return err
	}
	return s.followJob(ctx, api, id, nil)
}

func (s *session) abortJob(ctx context.Context, api *client.Client, id string) error {
	work, err := api.AbortJob(ctx, id)
	if err != nil {
		return err
	}
	s.err.line("%s", clean(orText(work.Message, "asked to end; follow it: aorta jobs follow "+id)))
	if s.flags.json {
		return s.out.json(work)
	}
	return nil
}

func (s *session) retryJob(ctx context.Context, api *client.Client, id string) error {
	work, err := api.RetryJob(ctx, id)
	if err != nil {
		return err
	}
	if !s.flags.detach {
		s.err.line("retried as job %s", clean(work.Job))
	}
	return s.follow(ctx, api, work, nil)
}

func (s *session) discardJob(ctx context.Context, api *client.Client, id string) error {
	j, err := api.DiscardJob(ctx, id)
	if err != nil {
		return err
	}
	s.err.line("job %s (%s) is discarded by %s", clean(j.ID), titleOf(j), asker(j.DiscardedBy))
	if s.flags.json {
		return s.out.json(j)
	}
	return nil
}
