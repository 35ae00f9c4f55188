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
	var state string
	cmd := &cobra.Command{
		Use: "jobs", Short: "List what was and is being done; show, follow, abort it",
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) error {
			return s.listJobs(ctx, api, client.JobQuery{App: s.flags.app, State: state}, n)
		}),
	}
	cmd.Flags().IntVarP(&n, "lines", "n", 30, "the newest so many, 0 for all")
	cmd.Flags().StringVar(&state, "state", "", "only of this state: open, succeeded, failed or aborted")
	cmd.AddCommand(
		&cobra.Command{Use: "show ID", Short: "Show a job tree as it is", Args: cobra.ExactArgs(1), RunE: s.onJob(s.printJob)},
		&cobra.Command{Use: "follow ID", Short: "Show a job tree until it has ended", Args: cobra.ExactArgs(1), RunE: s.onJob(s.followFound)},
		&cobra.Command{Use: "abort ID", Short: "End a job tree; its clean-up still runs", Args: cobra.ExactArgs(1), RunE: s.onJob(s.abortJob)},
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
	jobs, err := client.Collect(api.Jobs(ctx, q), n)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, jobs)
	}
	t := s.out.newTable("ID", "TITLE", "APP", "STATE", "PROGRESS", "CREATED", "TOOK")
	for _, j := range jobs {
		t.row(j.ID, titleOf(j), orText(j.App, "-"), j.State, orText(progressOf(j.Progress), "-"), ageOf(s.p.Now(), j.CreatedAt), took(j.StartedAt, j.EndedAt))
	}
	return t.print("no job yet")
}

func (s *session) printJob(ctx context.Context, api *client.Client, id string) error {
	if s.flags.json {
		return s.showJob(ctx, api, id)
	}
	j, err := api.Job(ctx, id)
	if err != nil {
		return err
	}
	printTree(s.out, j, 0)
	for _, failed := range failedLeaves(j) {
		for _, l := range s.lastLines(ctx, api, &seenJob{Job: failed}) {
			s.out.line("  │ %s", l)
		}
	}
	return nil
}

// failedLeaves are the jobs below which nothing failed.
func failedLeaves(j wire.Job) []wire.Job {
	var leaves []wire.Job
	for _, c := range j.Children {
		leaves = append(leaves, failedLeaves(c)...)
	}
	if len(leaves) == 0 && j.State == client.JobFailed {
		leaves = append(leaves, j)
	}
	return leaves
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
