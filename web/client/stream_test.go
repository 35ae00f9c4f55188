package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// say writes raw stream text and sends it on its way.
func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprint(w, text)
	_ = http.NewResponseController(w).Flush()
}

func TestFollowJob_GoesOnAcrossCuts(t *testing.T) {
	var n atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) {
		case 1:
			say(w, "event: job\ndata: {\"id\":\"j1\",\"state\":\"running\"}\n\nid: c7\nevent: log\ndata: {\"job\":\"j1\",\"text\":\"one\"}\n\n")
			cut(t, w)
		case 2: // an event without an id must not make the client forget
			say(w, "event: job\ndata: {\"id\":\"j1\",\"state\":\"running\"}\n\n")
			cut(t, w)
		case 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			say(w, "event: future\ndata: x\n\nid: c8\nevent: log\ndata: {\"job\":\"j1\",\"text\":\"two\"}\n\nevent: end\ndata: {\"id\":\"j1\",\"state\":\"succeeded\"}\n\n")
		}
	})
	var notices []string
	c := connect(t, s.URL, brief(func(m string) { notices = append(notices, m) }))
	var jobs, lines []string

	root, err := c.FollowJob(t.Context(), "j1", JobFeed{
		Job: func(j wire.Job) { jobs = append(jobs, j.ID+" "+j.State) },
		Log: func(l wire.JobLogLine) { lines = append(lines, l.Text) },
	})

	if err != nil || root.State != JobSucceeded {
		t.Fatalf("got %+v, %v, want a root that succeeded", root, err)
	}
	if diff := cmp.Diff([]string{"j1 running", "j1 running", "one", "two"}, append(jobs, lines...)); diff != "" {
		t.Errorf("what came (-want +got):\n%s", diff)
	}
	for i, r := range s.requests()[1:] {
		if got := r.header.Get("Last-Event-ID"); got != "c7" {
			t.Errorf("connection %d: got Last-Event-ID %q, want c7", i+2, got)
		}
	}
	if len(notices) != 4 || !strings.Contains(notices[0], "is cut") || !strings.Contains(notices[1], "connected again") {
		t.Errorf("got notices %q, want one of each cut and one of its end", notices)
	}
}

func TestFollowJob_GivesUpAfterItsWindow(t *testing.T) {
	c := connect(t, "http://"+testkit.FreeAddr(t), Options{ReconnectWindow: 300 * time.Millisecond})

	_, err := c.FollowJob(t.Context(), "j1", JobFeed{})

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "is away for more than 300ms") {
		t.Errorf("got %v, want unavailable with the window named", err)
	}
}

func TestFollow_RefusalIsFinal(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		sendProblem(w, wire.Problem{Status: 404, Detail: "no such job"})
	})
	c := connect(t, s.URL, Options{})

	_, err := c.FollowJob(t.Context(), "j1", JobFeed{})

	if cluster.CodeOf(err) != cluster.CodeNotFound || len(s.requests()) != 1 {
		t.Errorf("got %v after %d requests, want not_found after one", err, len(s.requests()))
	}
}

func TestFollow_BrokenEventEndsIt(t *testing.T) {
	for name, text := range map[string]string{"not JSON": "event: job\ndata: {\n\n", "too long": "data: " + strings.Repeat("x", maxEvent+10)} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { say(w, text) })
		c := connect(t, s.URL, Options{})

		_, err := c.FollowJob(t.Context(), "j1", JobFeed{Job: func(wire.Job) {}})

		if err == nil || cluster.CodeOf(err) != cluster.CodeInternal || len(s.requests()) != 1 {
			t.Errorf("%s: got %v after %d requests, want internal after one", name, err, len(s.requests()))
		}
	}
}

func TestFollowLogs_BringsLinesAndGaps(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		say(w, "id: 1\nevent: line\ndata: {\"text\":\"a\"}\n\nevent: missed\ndata: {\"n\":138}\n\nid: 2\nevent: line\ndata: {\"text\":\"b\"}\n\n")
		<-r.Context().Done()
	})
	c := connect(t, s.URL, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string

	err := c.FollowLogs(ctx, "shop", LogQuery{Lines: 2, Type: "web"}, LogFeed{
		Line: func(l wire.LogLine) error {
			got = append(got, l.Text)
			if l.Text == "b" {
				cancel()
			}
			return nil
		},
		Missed: func(n int) { got = append(got, fmt.Sprint(n)) },
	})

	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	if diff := cmp.Diff([]string{"a", "138", "b"}, got); diff != "" {
		t.Errorf("what came (-want +got):\n%s", diff)
	}
	if r := s.requests()[0]; r.path != "/api/v1/apps/shop/logs/stream" || r.query != "n=2&type=web" {
		t.Errorf("got %s?%s, want the stream with its filter", r.path, r.query)
	}
}

func TestFollowLogs_LineCanEndIt(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		say(w, "event: line\ndata: {}\n\n")
		<-r.Context().Done()
	})
	c := connect(t, s.URL, Options{})
	full := errors.New("full")

	err := c.FollowLogs(t.Context(), "shop", LogQuery{}, LogFeed{Line: func(wire.LogLine) error { return full }})

	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

func TestFollowLogs_FailsAtOnceWhenNobodyListens(t *testing.T) {
	c := connect(t, "http://"+testkit.FreeAddr(t), Options{})

	err := c.FollowLogs(t.Context(), "shop", LogQuery{}, LogFeed{})

	if cluster.CodeOf(err) != cluster.CodeUnavailable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v, want unavailable without waiting", err)
	}
}
