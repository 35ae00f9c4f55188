package main

import (
	"context"

	"github.com/spf13/cobra"

	"aorta/web/client"
	"aorta/web/wire"
)

func showJobCommand(s *session) *cobra.Command {
	var log, all, tree bool
	cmd := &cobra.Command{Use: "show ID", Short: "Show a job with its steps and errors, or its full log", Args: takes("ID"), Example: "  aorta jobs show 1a2b3c4d", ValidArgsFunction: once(s.completeJobs(client.JobQuery{}))}
	cmd.RunE = s.onJob(func(ctx context.Context, api *client.Client, id string) error {
		if log {
			return s.printJobLog(ctx, api, id)
		}
		return s.printJob(ctx, api, id, all, tree)
	})
	cmd.Flags().BoolVar(&log, "log", false, "print the full log of all steps, with times")
	cmd.Flags().BoolVar(&all, "all", false, "show every line, also of large jobs")
	cmd.Flags().BoolVar(&tree, "tree", false, "show the tree of jobs as it is kept: each above what it waits for")
	return cmd
}

func (s *session) printJob(ctx context.Context, api *client.Client, id string, all, tree bool) error {
	if s.flags.json {
		return s.showJob(ctx, api, id)
	}
	j, err := api.Job(ctx, id)
	if err != nil {
		return err
	}
	lines := 1 + linesOfSteps(j.Steps)
	if tree {
		lines = linesOf(j)
	}
	fold := !all && lines > foldAbove
	if tree {
		outline{out: s.out, now: s.p.Now(), fold: fold}.print(j)
	} else {
		stepList{out: s.out, now: s.p.Now(), fold: fold}.print(j)
	}
	if fold {
		s.err.line("what is done is folded; to see all: aorta jobs show --all %s", short(clean(id)))
	}
	return s.printLastLines(ctx, api, id, failedJobs(j.Steps))
}

// printLastLines prints the last log lines of jobs.
func (s *session) printLastLines(ctx context.Context, api *client.Client, root string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	last := s.lastLines(ctx, api, s.out, root)
	for _, id := range ids {
		for _, l := range last[id] {
			s.out.line("  │ %s", l)
		}
	}
	return nil
}

// printJobLog prints the log of a whole tree, each line with its time and job.
func (s *session) printJobLog(ctx context.Context, api *client.Client, id string) error {
	lines, err := api.JobLog(ctx, id)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, lines)
	}
	root, err := api.Job(ctx, id)
	if err != nil {
		return err
	}
	titles := map[string]string{}
	nameJobs(root, titles)
	for _, l := range lines {
		head := l.Time.Local().Format(logTime) + " " + orText(titles[l.Job], clean(l.Job))
		s.out.line("%s │ %s", s.out.paint(muted, head), s.out.cleanLog(l.Text))
	}
	return nil
}

func nameJobs(j wire.Job, titles map[string]string) {
	titles[j.ID] = titleOf(j)
	for _, c := range j.Children {
		nameJobs(c, titles)
	}
}
