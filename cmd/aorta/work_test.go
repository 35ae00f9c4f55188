package main

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/steps"
	"aorta/web/wire"
)

func TestWork_EachCommandAsksForItsOwn(t *testing.T) {
	cases := []struct{ args, pattern, want string }{
		{"config set A=1 B= C=x=y -a shop", "PATCH /apps/shop/config", `PATCH /apps/shop/config {"set":{"A":"1","B":"","C":"x=y"}}`},
		{"config:unset A B -a shop", "PATCH /apps/shop/config", `PATCH /apps/shop/config {"unset":["A","B"]}`},
		{"config set --file vars.env A=2 -a shop", "PATCH /apps/shop/config", `PATCH /apps/shop/config {"set":{"A":"2","Z":"26"}}`},
		{"deploy --image shop:2 -m two -a shop", "POST /apps/shop/deploys", `POST /apps/shop/deploys {"image":"shop:2","message":"two"}`},
		{"ps:scale web=3 worker=0 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity":3},"worker":{"quantity":0}}}`},
		{"ps scale web+1 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity_delta":1}}}`},
		{"ps scale web-2 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity_delta":-2}}}`},
		{"ps scale web+0 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"quantity":2}}}`},
		{"ps type web --memory 256m --cpus 0.5 -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"memory":268435456,"cpus":0.5}}}`},
		{"ps type web --require ssd,rack=r7 --require disk=nvme --prefer region=eu -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"require":["disk=nvme","rack=r7","ssd"],"prefer":["region=eu"]}}}`},
		{"ps type web --require= --prefer= -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"reset":["require","prefer"]}}}`},
		{"ps scale web= -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"reset":["quantity"]}}}`},
		{"ps type web --memory= --cpus= -a shop", "PATCH /apps/shop/formation", `PATCH /apps/shop/formation {"types":{"web":{"reset":["memory","cpus"]}}}`},
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
			wantIn(t, "stderr", got.err, "▸ Build\n", "✓ Build  3.0s\n", "✓ Deploy shop\n")
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

// Who scales web to nothing is told what becomes of the URL.
func TestScale_SaysThatTheURLAnswersNothing(t *testing.T) {
	for state, warns := range map[string]bool{"serving": false, "running": true, "stopped": true} {
		api := shop(t)
		api.on("GET /apps/blog", 200, wire.App{Name: "blog", URL: "http://blog.example.com", State: state})
		api.on("PATCH /apps/blog/formation", 202, wire.Accepted{Job: "j1"})
		c := newCLI(t, api)

		web := c.run("ps", "scale", "web=0", "-a", "blog")
		worker := c.run("ps", "scale", "worker=0", "-a", "blog")

		want := "http://blog.example.com answers 503 now, since web is scaled to 0; to serve again: aorta ps scale web=1 -a blog\n"
		if got := strings.Contains(web.err, want); web.code != 0 || got != warns || strings.Contains(worker.err, "503") {
			t.Errorf("an app that is %s then: got %+v, and %+v for worker", state, web, worker)
		}
	}
}

func TestStart_StartsWhatIsStopped(t *testing.T) {
	api := shop(t)
	api.on("GET /apps/blog", 200, wire.App{Name: "blog", Stopped: true})
	api.on("POST /apps/blog/restart", 202, wire.Accepted{Job: "j1"})
	c := newCLI(t, api)

	started, running := c.run("ps:start", "-a", "blog"), c.run("start", "-a", "shop")

	wantCode(t, started, 0)
	wantIn(t, "stopped", started.err, "started blog\n")
	wantCode(t, running, 0)
	wantIn(t, "running", running.err, "shop is not stopped")
	if diff := cmp.Diff([]string{"POST /apps/blog/restart {}"}, api.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
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

	want := "▸ Build\n  │ step 1 of 2\n  │ red text\n✓ Build  3.0s\n✓ Deploy shop\n" +
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
	if regexp.MustCompile("\x1b\\[[0-9;]*m").MatchString(plain.err) {
		t.Errorf("NO_COLOR: got %q, want no colour", plain.err)
	}
}

func TestWork_FailureNamesThingCauseAndNextStep(t *testing.T) {
	api := shop(t)
	api.on("POST /apps/shop/deploys", 202, wire.Accepted{Job: "bad"})
	api.job("bad", "failed", "exit status 1\nno space left")
	c := newCLI(t, api)

	got := c.run("deploy", "--image", "x", "-a", "shop")

	wantCode(t, got, 1)
	wantIn(t, "stderr", got.err, "✗ Build  3.0s\nerror: Deploy shop failed at Build: exit status 1\n  no space left\n  see all steps: aorta jobs show bad\n")
	if n := strings.Count(got.err, "red text"); n != 1 {
		t.Errorf("got its last line %d times, want it once:\n%s", n, got.err)
	}
	if got.out != "" {
		t.Errorf("got output %q, want none", got.out)
	}
}

func TestWork_AbortedExits1AndSaysWhy(t *testing.T) {
	for why, want := range map[string]string{
		"":                                "was cancelled (see",
		"cancelled by ann":                "was cancelled by ann (see",
		"node n3 is dead (silent for 8s)": "was cancelled: node n3 is dead (silent for 8s) (see",
	} {
		api := shop(t)
		api.on("POST /apps/shop/stop", 202, wire.Accepted{Job: "gone"})
		api.job("gone", "aborted", why)
		c := newCLI(t, api)

		got := c.run("ps", "stop", "-a", "shop")

		wantCode(t, got, 1)
		wantIn(t, "stderr", got.err, "error: Deploy shop "+want)
	}
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
	cancelled := c.run("jobs", "cancel", "j1")
	shown := c.run("jobs", "show", "bad")

	wantCode(t, followed, 0)
	wantCode(t, failed, 1)
	wantCode(t, missing, 4)
	wantCode(t, aborted, 0)
	wantIn(t, "abort", aborted.err, "it ends")
	wantIn(t, "cancel", cancelled.err, "it ends")
	wantIn(t, "show", shown.out, "  ✗ Build  3.0s\n    boom\n", "  │ the last word\n")
	if diff := cmp.Diff([]string{"POST /jobs/j1/abort", "POST /jobs/j1/abort"}, api.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestBoard_DrawsTheStepsInPlace(t *testing.T) {
	var out strings.Builder
	b := newBoard(&screen{w: &out}, func() time.Time { return noon })
	build := steps.Step{ID: "build", Name: "Build", State: "running", Started: *ago(3 * time.Second), Jobs: []string{"b"}}

	b.Step(build)
	b.Log("b", "FROM scratch")
	build.State, build.Ended = "succeeded", *ago(time.Second)
	b.Step(build)
	b.Step(steps.Step{ID: "start", Index: 1, Name: "Start", State: "running", Started: *ago(time.Second)})
	b.Step(steps.Step{ID: "start/1", Parent: "start", Name: "web.1 on n1", State: "running", Started: *ago(time.Second), Progress: steps.Progress{Text: "starting"}})
	b.close()

	want := "  │ FROM scratch\n✓ Build  2.0s\n▸ Start  1.0s\n  ▸ web.1 on n1  1.0s  starting\n"
	if diff := cmp.Diff(want, onScreen(out.String())); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
}

func TestBoard_OfManyLinesKeepsWhatIsWorthALook(t *testing.T) {
	var out strings.Builder
	b := newBoard(&screen{w: &out}, func() time.Time { return noon })
	b.Step(steps.Step{ID: "start", Name: "Start", State: "failed", Started: *ago(time.Second), Ended: noon})
	for i := range 50 {
		line := steps.Step{ID: fmt.Sprint("start/", i), Parent: "start", Index: i, Name: fmt.Sprintf("web.%d", i), State: "succeeded", Started: *ago(time.Second), Ended: noon}
		if i == 40 {
			line.State = "failed"
		}
		b.Step(line)
	}
	b.close()

	got := onScreen(out.String())

	if !strings.Contains(got, "✗ web.40") || !strings.HasSuffix(got, "  … 42 more\n") || strings.Count(got, "\n") != 10 {
		t.Errorf("got\n%s\nwant the one that failed, seven others and a count", got)
	}
}

// onScreen is what a terminal shows of text in which the cursor goes back over
// whole lines.
func onScreen(text string) string {
	var lines []string
	text = strings.NewReplacer("\x1b[?7l", "", "\x1b[?7h", "", "\r\x1b[J", "").Replace(text)
	for line := range strings.Lines(text) {
		for strings.HasPrefix(line, "\x1b[") {
			n, rest, _ := strings.Cut(strings.TrimPrefix(line, "\x1b["), "A")
			back, err := strconv.Atoi(n)
			if err != nil {
				break
			}
			lines, line = lines[:len(lines)-back], rest
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}
