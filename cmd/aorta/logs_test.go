package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/web/wire"
)

func TestLogs_NamesWhereALineIsFrom(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	head := noon.Local().Format(logTime) + " v3 web.1a2b3c4d "

	plain := c.run("logs", "-a", "shop")
	c.term = true
	coloured := c.run("logs", "-a", "shop")

	if want := head + "hello world\tx\\x0dback\n"; plain.out != want {
		t.Errorf("got %q, want %q", plain.out, want)
	}
	wantIn(t, "terminal", coloured.out, "\x1b[32mhello\x1b[0m world\tx\\x0dback\x1b[0m\n")
}

func TestLogs_AsksForWhatIsMeant(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)

	got := c.run("logs", "-a", "shop", "-n", "5", "-p", "web", "-i", "web.1a2b3c4d", "--since", "2h", "--search", "a b")

	wantCode(t, got, 0)
	if want := "GET /apps/shop/logs?instance=web.1a2b3c4d&n=5&search=a+b&since=2h0m0s&type=web"; !api.asked(want) {
		t.Errorf("got %v, want %s", api.got, want)
	}
}

// Since a time means all lines since then, not the newest hundred of them; what is
// more than one answer holds is said, with how to see it.
func TestLogs_SinceATimeAreAllSinceThen(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)
	var page wire.Page[wire.LogLine]
	for n := range mostLogLines {
		page.Items = append(page.Items, wire.LogLine{Time: noon.Add(time.Duration(n)), Release: "v3", Type: "web", Instance: webID, Text: "x"})
	}
	api.mux.HandleFunc("GET /api/v1/apps/many/logs", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(page) })

	some := c.run("logs", "-a", "shop", "--since", "2h", "--until", "1h")
	many := c.run("logs", "-a", "many", "--since", "2h")
	tooMany := c.run("logs", "-a", "shop", "-n", "10001")

	if want := "GET /apps/shop/logs?n=10000&since=2h0m0s&until=1h0m0s"; !api.asked(want) || some.err != "" {
		t.Errorf("got %v and %q, want %s and no word more", api.got, some.err, want)
	}
	wantIn(t, "stderr", many.err, "the newest 10000 lines", "--until "+noon.UTC().Format(time.RFC3339Nano))
	wantCode(t, tooMany, 2)
	wantIn(t, "stderr", tooMany.err, "-n must be between 1 and 10000, not 10001", "--until")
}

// runUntil runs the program until its output holds the text, then ends it.
func runUntil(t *testing.T, c *cli, text string, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	stdout, stderr := &sharedBuffer{}, &sharedBuffer{}
	done := make(chan int)
	go func() { done <- c.program().Run(ctx, args, strings.NewReader(""), stdout, stderr) }() // ends with ctx
	testkit.Eventually(t, "the output to hold "+text, func() bool { return strings.Contains(stdout.String(), text) })
	end()
	return <-done, stdout.String(), stderr.String()
}

func TestLogs_FollowGoesOnUntilItIsLeft(t *testing.T) {
	api := shop(t)
	api.mux.HandleFunc("GET /api/v1/apps/shop/logs/stream", func(w http.ResponseWriter, r *http.Request) {
		for _, text := range []string{"one", "two"} {
			line, _ := json.Marshal(wire.LogLine{Time: noon, Release: "v3", Type: "web", Instance: webID, Text: text})
			_, _ = w.Write([]byte("event: line\ndata: " + string(line) + "\n\nevent: missed\ndata: {\"n\":7}\n\n"))
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	})
	c := newCLI(t, api)

	code, out, errs := runUntil(t, c, "two", "logs", "-f", "-a", "shop")
	_, lines, _ := runUntil(t, c, `"two"`, "logs", "-f", "-a", "shop", "--json")

	if code != 0 || !strings.Contains(out, " v3 web.1a2b3c4d one\n") || !strings.Contains(errs, "7 lines") {
		t.Errorf("got exit %d, %q, %q, want both lines and the gap", code, out, errs)
	}
	for _, l := range strings.Split(strings.TrimSpace(lines), "\n") {
		if !json.Valid([]byte(l)) {
			t.Errorf("got %q, want one JSON object a line", l)
		}
	}
}

func TestStats_LiveRefreshesAndOutlastsThePacemaker(t *testing.T) {
	api := newAPI(t)
	asked := 0
	api.mux.HandleFunc("GET /api/v1/apps/shop/stats", func(w http.ResponseWriter, _ *http.Request) {
		asked++
		if asked == 2 {
			problem(w, 503, "unavailable", "starting")
			return
		}
		_ = json.NewEncoder(w).Encode(wire.Stats{Requests: int64(10 + asked), Window: wire.StatsWindow{Seconds: 3600, Requests: int64(asked)}})
	})
	c := newCLI(t, api)

	code, out, errs := runUntil(t, c, "3 requests", "stats", "--live", "-a", "shop")

	if code != 0 || !strings.Contains(out, "12:00:00  -/s  last 1h: 1 requests, errors 0.00%, p50 -, p95 -, p99 -\n") {
		t.Errorf("got exit %d and %q, want a line a second", code, out)
	}
	wantIn(t, "stderr", errs, "no new numbers since 12:00:00: starting")
}

func TestStats_AsksForWhatIsMeant(t *testing.T) {
	api := shop(t)
	c := newCLI(t, api)

	got := c.run("stats", "-a", "shop", "--since", "10m", "--release", "3")

	wantCode(t, got, 0)
	if want := "GET /apps/shop/stats?release=v3&since=10m0s"; !api.asked(want) {
		t.Errorf("got %v, want %s", api.got, want)
	}
}

// Silence would leave open whether the command has worked.
func TestLogs_SayThatThereIsNothing(t *testing.T) {
	api := shop(t)
	api.on("GET /apps/quiet/logs", 200, wire.Page[wire.LogLine]{})
	c := newCLI(t, api)

	new := c.run("logs", "-a", "quiet")
	filtered := c.run("logs", "-a", "quiet", "--grep", "x", "-p", "nosuch")
	programs := c.run("logs", "-a", "quiet", "--json", "-p", "nosuch")
	tail := c.run("logs", "--tail", "5", "-a", "quiet")

	if new.code != 0 || new.err != "quiet has written nothing yet\n" || filtered.code != 0 || filtered.err != "no line of quiet matches; all of them: aorta logs -a quiet\n" {
		t.Errorf("got %+v and %+v", new, filtered)
	}
	if programs.out != "[]\n" || programs.err != "" {
		t.Errorf("for programs: got %+v, want an empty list alone", programs)
	}
	wantCode(t, tail, 2)
	wantIn(t, "stderr", tail.err, "aorta logs -n 5")
}
