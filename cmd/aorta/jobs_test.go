package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

func TestJobs_SearchesWithWhatIsGiven(t *testing.T) {
	cases := []struct{ args, asked string }{
		{"jobs", "GET /jobs?by=people&limit=100"},
		{"jobs", "GET /jobs?attention=true&by=aorta&limit=100"},
		{"jobs", "GET /jobs?by=aorta&limit=100&uncaused=true"},
		{"jobs --by aorta", "GET /jobs?by=aorta&limit=100&uncaused=true"},
		{"jobs --by aorta --all", "GET /jobs?by=aorta&limit=100"},
		{"jobs --all", "GET /jobs?limit=100"},
		{"jobs --json", "GET /jobs?limit=100"},
		{"jobs -a shop", "GET /jobs?app=shop&by=people&limit=100"},
		{"jobs --state cancelled", "GET /jobs?limit=100&state=aborted&uncaused=true"},
		{"jobs --app 0192d3a0 --kind deploy --state failed", "GET /jobs?app=0192d3a0&kind=deploy&limit=100&state=failed"},
		{"jobs --since 7d --until 24h", "GET /jobs?by=people&limit=100&since=168h0m0s&until=24h0m0s"},
		{"jobs --since 2026-01-02T15:04:05Z", "GET /jobs?by=people&limit=100&since=2026-01-02T15%3A04%3A05Z"},
		{"jobs --attention", "GET /jobs?attention=true&limit=100"},
	}
	for _, tc := range cases {
		api := shop(t)
		c := newCLI(t, api)

		got := c.run(strings.Fields(tc.args)...)

		wantCode(t, got, 0)
		if !api.asked(tc.asked) {
			t.Errorf("%s: got %v, want %s", tc.args, api.got, tc.asked)
		}
	}
}

// What people see of jobs can be searched for; for another word they read those that
// there are, before the API is asked.
func TestJobs_SearchesByTheWordsThatPeopleSee(t *testing.T) {
	for _, kind := range cluster.OperationKinds {
		api := shop(t)
		if got := newCLI(t, api).run("jobs", "--kind", string(kind)); got.code != 0 || !api.asked("GET /jobs?kind="+string(kind)+"&limit=100") {
			t.Errorf("--kind %s: got %+v after %v", kind, got, api.got)
		}
	}
	for args, asked := range map[string]string{
		"jobs --kind Move": "GET /jobs?kind=replace&limit=100", "jobs --kind rollback": "GET /jobs?kind=release&limit=100",
		"jobs --state aborted": "GET /jobs?limit=100&state=aborted&uncaused=true", "jobs --state running": "GET /jobs?limit=100&state=open&uncaused=true", "jobs --by Aorta": "GET /jobs?by=aorta&limit=100&uncaused=true",
	} {
		api := shop(t)
		if got := newCLI(t, api).run(strings.Fields(args)...); got.code != 0 || !api.asked(asked) {
			t.Errorf("%s: got %+v after %v, want %s", args, got, api.got, asked)
		}
	}
	for args, says := range map[string]string{
		"jobs --kind drian":                `error: --kind: "drian" is not one of deploy, release, scale, restart, stop, retire, replace, destroy, rebuild, prune, drain; did you mean drain?` + "\n",
		"jobs --kind x":                    "rebuild, prune, drain\n",
		"jobs --state succeded":            `error: --state: "succeded" is not one of open, succeeded, failed, cancelled; did you mean succeeded?` + "\n",
		"jobs --by me":                     `error: --by: "me" is not one of people, aorta` + "\n",
		"nodes token --roles heart,rooter": `error: --roles: "rooter" is not one of heart, router, builder; did you mean router?` + "\n",
	} {
		api := shop(t)
		got := newCLI(t, api).run(strings.Fields(args)...)

		wantCode(t, got, 2)
		wantIn(t, args, got.err, says)
		if len(api.got) > 0 {
			t.Errorf("%s: the API was asked %v", args, api.got)
		}
	}
}

func TestJobs_RefusesWhatIsNoTime(t *testing.T) {
	c := newCLI(t, shop(t))
	for _, args := range []string{"jobs --since yesterday", "jobs --until -1h"} {
		got := c.run(strings.Fields(args)...)

		wantCode(t, got, 2)
		wantIn(t, "stderr", got.err, "neither a duration")
	}
}

// waitingJobs are the roots of three jobs: one at work, one that waits for it,
// and ones that failed.
func waitingJobs() []wire.Job {
	first := wire.Ahead{ID: "j1", Title: "Deploy a1b2 to shop", User: "ann", Since: *ago(time.Minute)}
	return []wire.Job{
		{ID: "j3", User: "ann", Title: "Scale shop: web=3", App: "shop", State: "waiting", WaitsFor: &first, CreatedAt: ago(time.Second)},
		{ID: "j2", User: "ann", Title: "Remove old images", State: "waiting", WaitsFor: &wire.Ahead{ID: "j0", Title: "Look"}, CreatedAt: ago(time.Second)},
		{ID: "j1", User: "ann", Title: first.Title, App: "shop", State: "running", CreatedAt: ago(time.Minute)},
		{ID: "f2", User: "ann", Title: "Stop shop", App: "shop", State: "failed", Attention: true, Error: "its worker died 3 times while it ran (the last one: n1)\nmore", CreatedAt: ago(time.Hour), EndedAt: ago(time.Hour - 90*time.Second)},
		{ID: "f1", User: "ann", Title: "Stop shop", App: "shop", State: "failed", DiscardedAt: ago(time.Minute), DiscardedBy: "ann", CreatedAt: ago(2 * time.Hour)},
	}
}

func TestJobs_SayWhoIsFirstAndWhatNeedsAttention(t *testing.T) {
	api := newAPI(t)
	api.on("GET /jobs", 200, wire.Page[wire.Job]{Items: waitingJobs()})
	c := newCLI(t, api)

	got := c.run("jobs")
	wide := c.run("jobs", "--wide")

	want := "ID  TITLE                STATE              CREATED  DURATION\n" +
		"j3  Scale shop: web=3    waiting            1s ago\n" +
		"    for Deploy a1b2 to shop by ann (j1)\n" +
		"j2  Remove old images    waiting            1s ago\n" +
		"    for Look by Aorta (j0)\n" +
		"j1  Deploy a1b2 to shop  running            1m ago   1m\n" +
		"f2  Stop shop            needs attention    1h ago   1m30s\n" +
		"    its worker died 3 times while it ran (the last one: n1)\n" +
		"f1  Stop shop            failed, discarded  2h ago\n"
	if diff := cmp.Diff(want, got.out); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	wantIn(t, "wide", wide.out, "needs attention: its worker died 3 times while it ran (the last one: n1)  1h ago", "waiting for Look by Aorta (j0)    ")
	wantIn(t, "stderr", got.err, "1 needs attention: aorta jobs show ID, then aorta jobs retry ID or discard ID\n")
}

func TestJobs_ShowSaysWhatTheRootWaitsForAndRepeats(t *testing.T) {
	api := newAPI(t)
	for _, j := range waitingJobs() {
		j.RetryOf = "r" + j.ID
		api.on("GET /jobs/"+j.ID, 200, j)
	}
	c := newCLI(t, api)

	waiting, failing, discarded := c.run("jobs", "show", "j3"), c.run("jobs", "show", "f2"), c.run("jobs", "show", "f1")

	wantIn(t, "waiting", waiting.out, "· Scale shop: web=3  waiting\n", "    waiting for Deploy a1b2 to shop by ann (j1)\n", "    retry of rj3\n")
	wantIn(t, "failed", failing.out, "✗ Stop shop  failed  1m30s\n", "    needs attention: run aorta jobs retry f2 or aorta jobs discard f2\n", "its worker died 3 times")
	wantIn(t, "discarded", discarded.out, "    discarded by ann\n")
}

func TestJobs_RetryFollowsTheNewJob(t *testing.T) {
	api := shop(t)
	api.on("POST /jobs/old/retry", 202, wire.Accepted{Job: "j1"})
	api.fails("POST /jobs/open/retry", 409, "conflict", "job open has not ended (follow it: aorta jobs follow open)")
	c := newCLI(t, api)

	followed := c.run("jobs", "retry", "old")
	detached := c.run("jobs:retry", "old", "--detach")
	refused := c.run("jobs", "retry", "open")

	wantCode(t, followed, 0)
	wantIn(t, "stderr", followed.err, "retrying as job j1\n", "✓ Deploy shop\n")
	if detached.out != "j1\n" || detached.err != "" {
		t.Errorf("detached: got %+v, want the new job's id alone", detached)
	}
	wantCode(t, refused, 5)
	wantIn(t, "refused", refused.err, "aorta jobs follow open")
}

func TestJobs_Discard(t *testing.T) {
	api := shop(t)
	api.on("POST /jobs/old/discard", 200, wire.Job{ID: "old", Title: "Stop shop", State: "failed", DiscardedBy: "ann"})
	c := newCLI(t, api)

	got := c.run("jobs", "discard", "old")
	asJSON := c.run("jobs", "discard", "old", "--json")

	wantCode(t, got, 0)
	if got.out != "" || got.err != "discarded job old (Stop shop), by ann\n" {
		t.Errorf("got %+v, want it said on stderr", got)
	}
	wantIn(t, "stdout", asJSON.out, `"discarded_by": "ann"`)
}

func TestWork_SaysWhoIsFirstAtOnceAndWhenItChanges(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "w"})
	waits := func(id, title, user string) wire.Job {
		return wire.Job{ID: "w", Title: "Stop shop", State: "waiting", WaitsFor: &wire.Ahead{ID: id, Title: title, User: user}}
	}
	end := wire.Job{ID: "w", Title: "Stop shop", State: "succeeded"}
	api.streams("/jobs/w/events", "job", waits("j1", "Deploy a to shop", "ann"), "job", waits("j1", "Deploy a to shop", "ann"),
		"job", waits("j2", "Deploy b to shop", ""), "job", wire.Job{ID: "w", Title: "Stop shop", State: "running"}, "job", end, "end", end)
	c := newCLI(t, api)

	got := c.run("ps", "stop", "-a", "shop")

	want := "Waiting for another job to end: Deploy a to shop (by ann).\nTo see it: aorta jobs follow j1; to end it now: aorta jobs abort j1\n" +
		"Waiting for another job to end: Deploy b to shop (by Aorta).\nTo see it: aorta jobs follow j2; to end it now: aorta jobs abort j2\n✓ Stop shop\n" +
		"stopped shop; start it again: aorta ps start -a shop\n"
	if diff := cmp.Diff(want, got.err); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

// longLog is a failed job that logged 2,000 lines beside one that logged one.
func longLog(api *fakeAPI) {
	failed := wire.Job{ID: "s1", Parent: "j", Title: "Build the image", State: "failed", Error: "boom"}
	other := wire.Job{ID: "s2", Parent: "j", Title: "Look around", State: "aborted"}
	api.on("GET /jobs/j", 200, wire.Job{
		ID: "j", Title: "Deploy shop", State: "failed", Error: "boom", Children: []wire.Job{failed, other},
		Steps: []wire.Step{
			{ID: "build", Name: "Build", State: "failed", Error: "boom", Jobs: []string{"s1"}},
			{ID: "look", Name: "Look around", State: "aborted", Jobs: []string{"s2"}},
		},
	})
	var lines []wire.JobLogLine
	for i := range 2000 {
		lines = append(lines, wire.JobLogLine{Job: "s1", Time: noon.Add(time.Duration(i) * time.Millisecond), Text: fmt.Sprintf("line %d", i)})
	}
	lines = append(lines, wire.JobLogLine{Job: "s2", Time: noon.Add(3 * time.Second), Text: "the last of all"})
	api.on("GET /jobs/j/log", 200, wire.Page[wire.JobLogLine]{Items: lines})
}

func TestJobs_ShowEndsWithTheFailedLeafsLastWords(t *testing.T) {
	api := newAPI(t)
	longLog(api)
	c := newCLI(t, api)

	got := c.run("jobs", "show", "j")

	want := ""
	for i := 1990; i < 2000; i++ {
		want += fmt.Sprintf("  │ line %d\n", i)
	}
	if !strings.HasSuffix(got.out, "    boom\n  – Look around  skipped\n"+want) {
		t.Errorf("got\n%s\nwant it to end with the last ten lines of the job that failed", got.out)
	}
}

func TestJobs_ShowLogIsWholeInOrderWithTimes(t *testing.T) {
	api := newAPI(t)
	longLog(api)
	c := newCLI(t, api)

	got := c.run("jobs", "show", "--log", "j")
	asJSON := c.run("jobs", "show", "--log", "j", "--json")

	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	first := noon.Local().Format(logTime) + " Build the image │ line 0"
	last := noon.Add(3*time.Second).Local().Format(logTime) + " Look around │ the last of all"
	if len(lines) != 2001 || lines[0] != first || lines[2000] != last {
		t.Errorf("got %d lines from %q to %q, want 2001 from %q to %q", len(lines), lines[0], lines[len(lines)-1], first, last)
	}
	if n := strings.Count(asJSON.out, `"text":`); n != 2001 {
		t.Errorf("got %d lines as JSON, want 2001", n)
	}
}

func TestLists_TakeNoNegativeNumberOfLines(t *testing.T) {
	c := newCLI(t, shop(t))
	for _, args := range [][]string{{"jobs", "-n", "-5"}, {"releases", "-a", "shop", "-n", "-1"}, {"jobs", "-n", "1.5"}} {
		wantCode(t, c.run(args...), 2)
	}
}
