package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/web/wire"
)

func TestWork_EachCommandAsksForItsOwn(t *testing.T) {
	cases := []struct{ args, pattern, want string }{
		{"config set A=1 B= C=x=y -a shop", "PATCH /apps/shop/config", `PATCH /apps/shop/config {"set":{"A":"1","B":"","C":"x=y"}}`},
		{"config:unset A B -a shop", "PATCH /apps/shop/config", `PATCH /apps/shop/config {"unset":["A","B"]}`},
		{"config set --file vars.env A=2 -a shop", "PATCH /apps/shop/config", `PATCH /apps/shop/config {"set":{"A":"2","Z":"26"}}`},
		{"deploy --image shop:2 -m two -a shop", "POST /apps/shop/deploys", `POST /apps/shop/deploys {"image":"shop:2","message":"two"}`},
		{"ps:scale web=3 worker=0 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity":3},"worker":{"quantity":0}}}`},
		{"ps scale web+1 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity":3}}}`},
		{"ps scale web-2 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity":0}}}`},
		{"ps type web --memory 256m --cpus 0.5 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"memory":268435456,"cpus":0.5}}}`},
		{"ps restart -a shop", "POST /apps/shop/restart", `POST /apps/shop/restart {}`},
		{"ps restart web.1a2b3c4d -a shop", "POST /apps/shop/restart", `POST /apps/shop/restart {"instance":"` + webID + `"}`},
		{"ps restart 1a2b3c4d -a shop", "POST /apps/shop/restart", `POST /apps/shop/restart {"instance":"` + webID + `"}`},
		{"ps stop -a shop", "POST /apps/shop/stop", `POST /apps/shop/stop`},
		{"rollback -a shop", "POST /apps/shop/rollback", `POST /apps/shop/rollback {"release":"v2"}`},
		{"rollback --code-only -a shop", "POST /apps/shop/rollback", `POST /apps/shop/rollback {"release":"v2","code_only":true}`},
		{"builds rebuild -a shop", "POST /apps/shop/rebuild", `POST /apps/shop/rebuild {}`},
		{"builds:rebuild 2 -a shop", "POST /apps/shop/rebuild", `POST /apps/shop/rebuild {"release":"v2"}`},
		{"rollback 2 -a shop", "POST /apps/shop/rollback", `POST /apps/shop/rollback {"release":"v2"}`},
		{"apps destroy shop --confirm shop", "DELETE /apps/shop", `DELETE /apps/shop?confirm=shop`},
	}
	for _, tc := range cases {
		t.Run(tc.args, func(t *testing.T) {
			api := shop(t)
			api.on(tc.pattern, 202, wire.Accepted{Job: "j1"})
			c := newCLI(t, api)
			c.file("vars.env", "A=1\nZ=26\n")

			got := c.run(strings.Fields(tc.args)...)
			detached := c.run(append(strings.Fields(tc.args), "--detach")...)

			wantCode(t, got, 0)
			wantIn(t, "stderr", got.err, "▸ Build the image on n1\n", "✓ Build the image on n1  3.0s\n", "✓ Deploy shop\n")
			if got.out != "" {
				t.Errorf("got output %q, want none", got.out)
			}
			if detached.code != 0 || detached.out != "j1\n" || detached.err != "" {
				t.Errorf("detached: got %+v, want the job's id alone", detached)
			}
			if diff := cmp.Diff([]string{tc.want, tc.want}, api.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRollback_SaysWhatChangesFirst(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/rollback", 202, wire.Accepted{Job: "j1"})
	c := newCLI(t, api)

	got := c.run("rollback", "-a", "shop")

	if want := "rolling shop back from v3 to v2 (first); set as it was then: GREETING; unset: DEBUG; instances to replace: 2\n"; !strings.HasPrefix(got.err, want) {
		t.Errorf("got %q, want it to begin with %q", got.err, want)
	}
}

func TestWork_ShowsTheTreeLineByLine(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "j1"})
	c := newCLI(t, api)

	got := c.run("ps", "stop", "-a", "shop")

	want := "  ▸ Build the image on n1\n    │ step 1 of 2\n    │ red text\n  ✓ Build the image on n1  3.0s\n✓ Deploy shop\n" +
		"stopped shop; start it again: aorta ps start -a shop\n"
	if diff := cmp.Diff(want, got.err); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

func TestWork_ColoursOnATerminalUnlessAskedNotTo(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "j1"})
	c := newCLI(t, api)
	c.term = true

	coloured := c.run("ps", "stop", "-a", "shop")
	c.env["NO_COLOR"] = "1"
	plain := c.run("ps", "stop", "-a", "shop")

	wantIn(t, "stderr", coloured.err, "\x1b[32m✓\x1b[0m Deploy shop", "\x1b[31mred\x1b[0m text")
	if strings.Contains(plain.err, "\x1b") {
		t.Errorf("NO_COLOR: got %q, want no escape", plain.err)
	}
}

func TestWork_FailureNamesThingCauseAndNextStep(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/deploys", 202, wire.Accepted{Job: "bad"})
	api.job("bad", "failed", "exit status 1\nno space left")
	c := newCLI(t, api)

	got := c.run("deploy", "--image", "x", "-a", "shop")

	wantCode(t, got, 1)
	wantIn(t, "stderr", got.err, `error: Deploy shop failed at "Build the image on n1": exit status 1`+"\n  no space left\n",
		"\n  │ step 1 of 2\n  │ red text\n  see all steps: aorta jobs show bad\n")
	if got.out != "" {
		t.Errorf("got output %q, want none", got.out)
	}
}

func TestWork_AbortedExits1(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "gone"})
	api.job("gone", "aborted", "")
	c := newCLI(t, api)

	got := c.run("ps", "stop", "-a", "shop")

	wantCode(t, got, 1)
	wantIn(t, "stderr", got.err, "error: Deploy shop was aborted")
}

func TestWork_NothingToDoIsSaidOnStderr(t *testing.T) {
	api := shop(t)
	api.on("PATCH /apps/shop/config", 202, wire.Accepted{Message: "kept for the first release"})
	c := newCLI(t, api)

	for _, extra := range []string{"", "--detach"} {
		got := c.run(strings.Fields("config set A=1 -a shop " + extra)...)

		if got.code != 0 || got.out != "" || got.err != "kept for the first release\n" {
			t.Errorf("%q: got %+v, want the message alone", extra, got)
		}
	}
}

func TestWork_JSONGivesTheTree(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "j1"})
	c := newCLI(t, api)

	got := c.run("ps", "stop", "-a", "shop", "--json")
	detached := c.run("ps", "stop", "-a", "shop", "--json", "--detach")

	wantIn(t, "stdout", got.out, `"id": "j1"`, `"title": "Build the image"`)
	wantIn(t, "stdout", detached.out, `"job": "j1"`)
}

func TestWork_LeavingSaysThatTheJobGoesOn(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "slow"})
	reached := make(chan struct{})
	api.mux.HandleFunc("GET /api/v1/jobs/slow/events", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		close(reached)
		<-r.Context().Done()
	})
	c := newCLI(t, api)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	go func() { <-reached; leave() }() // ends once the stream is open
	var out, errs strings.Builder

	code := c.program().Run(ctx, []string{"ps", "stop", "-a", "shop"}, strings.NewReader(""), &out, &errs)

	if code != 1 || !strings.Contains(errs.String(), "aorta jobs follow slow") {
		t.Errorf("got exit %d, %q, want 1 and how to follow", code, errs.String())
	}
}

func TestJobs_FollowAndAbort(t *testing.T) {
	api := shop(t)
	api.job("bad", "failed", "boom")
	api.on("POST /jobs/j1/abort", 202, wire.Accepted{Job: "j1", Message: "it ends"})
	c := newCLI(t, api)

	followed := c.run("jobs", "follow", "j1")
	failed := c.run("jobs", "follow", "bad")
	missing := c.run("jobs", "follow", "nosuchjob")
	aborted := c.run("jobs", "abort", "j1")
	shown := c.run("jobs", "show", "bad")

	wantCode(t, followed, 0)
	wantCode(t, failed, 1)
	wantCode(t, missing, 4)
	wantCode(t, aborted, 0)
	wantIn(t, "abort", aborted.err, "it ends")
	wantIn(t, "show", shown.out, "✗ Build the image on n1  failed  3.0s\n      boom\n", "  │ the last word\n")
	if diff := cmp.Diff([]string{"POST /jobs/j1/abort"}, api.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestTree_TakesWhatComesTwiceOnce(t *testing.T) {
	var out strings.Builder
	now := noon
	tr := newTree(&screen{w: &out}, func() time.Time { return now })
	child := wire.Job{ID: "c", Parent: "r", Title: "Pull", State: "running", Progress: wire.Progress{N: 1, M: 9, Text: "layers"}}
	other := wire.Job{ID: "d", Parent: "r", Title: "Start", State: "running", Attempt: 2}

	tr.job(wire.Job{ID: "r", Title: "Deploy", State: "waiting"})
	tr.job(child)
	child.Progress.N = 2 // too soon after the first
	tr.job(child)
	now = now.Add(2 * time.Second)
	child.Progress.N = 3
	tr.job(child)
	tr.job(other)
	tr.log(wire.JobLogLine{Job: "c", Text: "a"})
	tr.log(wire.JobLogLine{Job: "c", Text: "b"})
	tr.job(child)
	child.State = "succeeded"
	tr.job(child)
	tr.job(child)

	want := "  ▸ Pull\n    … 1/9 layers\n    … 3/9 layers\n  ▸ Start (attempt 2)\n  ▸ Pull\n    │ a\n    │ b\n  ✓ Pull\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTree_BlamesTheFirstLeafThatFailed(t *testing.T) {
	var out strings.Builder
	tr := newTree(&screen{w: &out}, func() time.Time { return noon })
	tr.job(wire.Job{ID: "r", State: "failed", EndedAt: ago(1)})
	tr.job(wire.Job{ID: "a", Parent: "r", State: "failed", EndedAt: ago(2 * time.Second)})
	tr.job(wire.Job{ID: "a1", Parent: "a", State: "failed", EndedAt: ago(4 * time.Second)})
	tr.job(wire.Job{ID: "a2", Parent: "a", State: "failed", EndedAt: ago(5 * time.Second)})
	tr.job(wire.Job{ID: "b", Parent: "r", State: "succeeded", EndedAt: ago(9 * time.Second)})

	got := tr.culprit()

	if got == nil || got.ID != "a2" {
		t.Errorf("got %+v, want a2", got)
	}
}
