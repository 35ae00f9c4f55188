package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aorta/pacemaker/cluster"
	"aorta/web/client"
	"aorta/web/wire"
)

// jobKinds are the kinds of jobs that can be searched for, and what else their titles
// say; a move is the replacement of what runs.
func jobKinds(to *string) choice {
	c := choice{to: to, means: map[string]string{
		"move": string(cluster.OpReplace), "rollback": string(cluster.OpRelease), "config": string(cluster.OpRelease),
		"build": string(cluster.OpRebuild), "remove": string(cluster.OpPrune),
	}}
	for _, kind := range cluster.OperationKinds {
		c.words = append(c.words, string(kind))
	}
	return c
}

// jobStates are the states of jobs that can be searched for, and what JSON calls them.
func jobStates(to *string) choice {
	return choice{
		to: to, words: []string{"open", client.JobSucceeded, client.JobFailed, cancelled},
		means: map[string]string{
			cancelled: client.JobAborted, client.JobAborted: client.JobAborted,
			client.JobWaiting: "open", client.JobReady: "open", client.JobRunning: "open",
		},
	}
}

func jobsCommand(s *session) *cobra.Command {
	var n uint
	var q client.JobQuery
	var all bool
	cmd := &cobra.Command{
		Use: "jobs", Short: "List jobs; show, follow, cancel, retry and discard them",
		RunE: s.onCluster(func(ctx context.Context, api *client.Client, _ []string) error {
			q.App = s.flags.app
			if !all && !s.flags.json {
				leaveOut(&q)
			}
			return s.listJobs(ctx, api, q, int(n))
		}),
	}
	f := cmd.Flags()
	f.UintVarP(&n, "lines", "n", 30, "number of jobs, newest first; 0 for all")
	kinds := jobKinds(&q.Kind)
	choose(cmd, "kind", "only jobs of this kind: "+strings.Join(kinds.words, ", "), kinds)
	choose(cmd, "state", "only jobs in this state: open (waiting or running), succeeded, failed or cancelled", jobStates(&q.State))
	f.StringVar(&q.Since, "since", "", "only jobs created since then: 24h, 7d, or a time such as 2026-01-02T15:04:05Z")
	f.StringVar(&q.Until, "until", "", "only jobs created before then, in the same form")
	choose(cmd, "by", "only what people asked for (people), or what Aorta began by itself (aorta)", choice{to: &q.By, words: []string{client.ByPeople, client.ByAorta}})
	f.BoolVar(&all, "all", false, "also what Aorta began by itself, such as the stop of instances that a deploy replaced")
	f.BoolVar(&q.Attention, "attention", false, "only failed jobs that need attention")
	cmd.AddCommand(
		showJobCommand(s),
		&cobra.Command{Use: "follow ID", Short: "Follow a job until it ends", Args: takes("ID"), Example: "  aorta jobs follow 1a2b3c4d", ValidArgsFunction: once(s.completeJobs(client.JobQuery{State: "open"})), RunE: s.onJob(s.followFound)},
		&cobra.Command{Use: "abort ID", Short: "Cancel a job; its clean-up still runs", Args: takes("ID"), Example: "  aorta jobs abort 1a2b3c4d", ValidArgsFunction: once(s.completeJobs(client.JobQuery{State: "open"})), RunE: s.onJob(s.abortJob)},
		startsWork(s, &cobra.Command{Use: "retry ID", Short: "Run a failed or cancelled job again, as a new job", Args: takes("ID"), Example: "  aorta jobs retry 1a2b3c4d", ValidArgsFunction: once(s.completeJobs(client.JobQuery{State: "failed"})), RunE: s.onJob(s.retryJob)}),
		&cobra.Command{Use: "discard ID", Short: "Mark a failed or cancelled job as handled", Args: takes("ID"), Example: "  aorta jobs discard 1a2b3c4d", ValidArgsFunction: once(s.completeJobs(client.JobQuery{State: "failed"})), RunE: s.onJob(s.discardJob)},
	)
	return cmd
}

// leaveOut leaves those jobs out that are steps of others, and shows what people
// asked for where nothing else is searched.
func leaveOut(q *client.JobQuery) {
	if q.Kind != "" || q.Attention {
		return
	}
	q.Uncaused = q.By != client.ByPeople
	if q.By == "" && q.State == "" {
		q.By, q.Uncaused = client.ByPeople, false
	}
}

// onJob runs a command about one job, by its id or the short form of it: the API
// takes either.
func (s *session) onJob(run func(ctx context.Context, api *client.Client, id string) error) func(*cobra.Command, []string) error {
	return s.onCluster(func(ctx context.Context, api *client.Client, args []string) error {
		return run(ctx, api, args[0])
	})
}

// shownID is what people see of an id, and can give to every command that takes
// one; with --wide it is whole.
func (s *session) shownID(id string) string {
	if s.flags.wide {
		return id
	}
	return short(id)
}

func short(id string) string { return cluster.ID(id).Short() }

func (s *session) listJobs(ctx context.Context, api *client.Client, q client.JobQuery, n int) error {
	var err error
	if q.Since, err = parseSince(q.Since, s.p.Now()); err != nil {
		return err
	}
	if q.Until, err = parseSince(q.Until, s.p.Now()); err != nil {
		return err
	}
	jobs, err := client.Collect(api.Jobs(ctx, q), n)
	if err != nil {
		return err
	}
	if s.flags.json {
		return list(s.out, jobs)
	}
	if err := s.printJobs(jobs, q != (client.JobQuery{By: client.ByPeople})); err != nil || q.By != client.ByPeople {
		return err
	}
	return s.printOthers(ctx, api, q, jobs, n)
}

// ownCounted is how many jobs that Aorta began are counted at most.
const ownCounted = 50

// printOthers says below what people asked for what Aorta has begun by itself in the same
// time, and whether that needs them.
func (s *session) printOthers(ctx context.Context, api *client.Client, q client.JobQuery, shown []wire.Job, limit int) error {
	own := q
	own.By, own.Uncaused = client.ByAorta, true
	others, err := client.Collect(api.Jobs(ctx, own), ownCounted)
	if err != nil {
		return err
	}
	if limit > 0 && len(shown) == limit { // older ones are on neither list
		oldest := shown[limit-1].CreatedAt
		others = slices.DeleteFunc(others, func(j wire.Job) bool {
			return oldest != nil && j.CreatedAt != nil && j.CreatedAt.Before(*oldest)
		})
	}
	where := ""
	if q.App != "" {
		where = " -a " + quoteVar(q.App)
	}
	switch n := len(others); {
	case n == ownCounted:
		s.err.line("Aorta began %d or more by itself: aorta jobs --by aorta%s", n, where)
	case n > 0:
		s.err.line("Aorta began %d more by itself: aorta jobs --by aorta%s", n, where)
	}
	needy, err := client.Collect(api.Jobs(ctx, client.JobQuery{App: q.App, By: client.ByAorta, Attention: true}), 0)
	if n := len(needy); n > 0 {
		s.err.line("%s that Aorta began by itself failed: aorta jobs --attention", count(n, "job"))
	}
	return err
}

func (s *session) printJobs(jobs []wire.Job, searched bool) error {
	t := s.out.newTable("ID", "TITLE", "APP", "BY", "STATE", "CREATED", "DURATION").onlyWide("APP")
	attention := 0
	for _, j := range jobs {
		if j.Attention {
			attention++
		}
		state := stateOf(j)
		by := "" // a person, whose name may be long
		if s.flags.wide || j.User == "" {
			by = userOf(j.User)
		}
		t.row(s.shownID(j.ID), titleOf(j), j.App, by, state.cell(s), ageOf(s.p.Now(), j.CreatedAt), lasts(j, s.p.Now()))
		t.note(orText(state.note(s), j.Reason))
	}
	empty := "no jobs yet"
	if searched {
		empty = "no matching jobs"
	}
	if err := t.print(empty); err != nil || attention == 0 {
		return err
	}
	need := "needs"
	if attention > 1 {
		need = "need"
	}
	s.err.line("%d %s attention: aorta jobs show ID, then aorta jobs retry ID or discard ID", attention, need)
	return nil
}

// stateOf is a job's state with what it waits for, or why it needs attention.
func stateOf(j wire.Job) state {
	switch {
	case j.WaitsFor != nil:
		return state{"waiting", " ", strings.TrimPrefix(waitsFor(*j.WaitsFor), "waiting ")}
	case j.DiscardedAt != nil:
		return state{is: stateWord(j.State) + ", discarded"}
	case j.Attention:
		return state{"needs attention", ": ", orText(firstLine(j.Error), "no cause reported")}
	case j.State == client.JobRunning && progressOf(j.Progress) != "":
		return state{is: j.State + " " + progressOf(j.Progress)}
	}
	return state{is: stateWord(j.State)}
}

// stateWord is what people read of a job's state: what somebody aborted is
// cancelled.
func stateWord(state string) string {
	if state == client.JobAborted {
		return cancelled
	}
	return state
}

const cancelled = "cancelled"

// state is a state in a word or two, and what else there is to say of it: in the
// same cell with --wide, else below the row.
type state struct{ is, joint, about string }

func (t state) cell(s *session) string {
	if s.flags.wide {
		return t.is + t.joint + t.about
	}
	return t.is
}

func (t state) note(s *session) string {
	if s.flags.wide {
		return ""
	}
	return t.about
}

func (s *session) followFound(ctx context.Context, api *client.Client, id string) error {
	// A job that does not exist fails here; its stream would wait for it.
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
	return s.aborting(work, id)
}

// aborting says that a job is being aborted.
func (s *session) aborting(work wire.Accepted, id string) error {
	s.err.line("%s", clean(orText(work.Message, "cancelling; follow it: aorta jobs follow "+short(id))))
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
		s.err.line("retrying as job %s", short(clean(work.Job)))
	}
	return s.follow(ctx, api, work, nil)
}

func (s *session) discardJob(ctx context.Context, api *client.Client, id string) error {
	j, err := api.DiscardJob(ctx, id)
	if err != nil {
		return err
	}
	s.err.line("discarded job %s (%s), by %s", short(clean(j.ID)), titleOf(j), userOf(j.DiscardedBy))
	if s.flags.json {
		return s.out.json(j)
	}
	return nil
}
