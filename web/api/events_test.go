package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker"
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// less compares two log cursors.
func less(a, b string) bool {
	parse := func(c string) []uint64 {
		ms, seq, _ := strings.Cut(c, "-")
		m, _ := strconv.ParseUint(ms, 10, 64)
		n, _ := strconv.ParseUint(seq, 10, 64)
		return []uint64{m, n}
	}
	return slices.Compare(parse(a), parse(b)) < 0
}

// feed is an open event stream.
type feed struct {
	tb     testing.TB
	lines  *bufio.Scanner
	cancel context.CancelFunc
	resp   *http.Response
	last   string // id seen last
}

type event struct{ name, data string }

func (r *rig) open(path, last string) *feed {
	r.tb.Helper()
	ctx, cancel := context.WithTimeout(r.tb.Context(), 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+prefix+path, nil)
	must(r.tb, err)
	req.Header.Set("Authorization", "Bearer "+viewerToken)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	must(r.tb, err)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		r.tb.Fatalf("got %s %s, want an event stream", resp.Status, resp.Header.Get("Content-Type"))
	}
	return &feed{tb: r.tb, lines: bufio.NewScanner(resp.Body), cancel: cancel, resp: resp, last: last}
}

func (f *feed) cut() {
	f.cancel()
	_ = f.resp.Body.Close()
}

// next reads one event; false when the server has ended the stream.
func (f *feed) next() (event, bool) {
	var e event
	for f.lines.Scan() {
		name, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch name {
		case "id":
			f.last = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e, true
			}
		}
	}
	return e, false
}

// logs reads n lines of jobs' logs, or all until the end with -1.
func (f *feed) logs(n int) (texts []string, ended bool) {
	f.tb.Helper()
	for len(texts) != n {
		e, ok := f.next()
		switch {
		case !ok:
			f.tb.Fatalf("the stream ended after %q: %v", texts, f.lines.Err())
		case e.name == "end":
			return texts, true
		case e.name == "log":
			var l wire.JobLogLine
			must(f.tb, json.Unmarshal([]byte(e.data), &l))
			texts = append(texts, l.Text)
		}
	}
	return texts, false
}

// work is an operation with the logs of two of its jobs.
type work struct {
	r     *rig
	op    cluster.Operation
	jobs  [2]string
	wrote []string
}

func (r *rig) newWork() *work {
	r.tb.Helper()
	app, err := r.pace.CreateApp(r.tb.Context(), "a"+cluster.NewID().Short(), "admin")
	must(r.tb, err)
	op, err := r.pace.DeployImage(r.tb.Context(), app, "img:1", "", "admin")
	must(r.tb, err)
	w := &work{r: r, op: op, jobs: [2]string{string(cluster.DeriveID(op.ID, cluster.JobBuild, 0)), string(cluster.DeriveID(op.ID, cluster.JobPlace, 0))}}
	testkit.Eventually(r.tb, 5*time.Second, "the tree to be planted", func() bool {
		_, err := r.jobs.Tree(r.tb.Context(), string(op.ID))
		return err == nil
	})
	r.jobs.change(func() {
		for _, id := range w.jobs {
			r.jobs.trees[string(op.ID)].Jobs[id].Attempt = 1
		}
	})
	return w
}

// write adds a line to the log of a job, at a millisecond.
func (w *work) write(job, ms, seq int) {
	w.r.jobs.change(func() {
		text := fmt.Sprintf("job %d at %d-%d", job, ms, seq)
		w.wrote = append(w.wrote, text)
		id := w.jobs[job]
		w.r.jobs.logs[id] = append(w.r.jobs.logs[id], pacemaker.JobLine{Cursor: fmt.Sprintf("%d-%d", ms, seq), Time: time.UnixMilli(int64(ms)), Text: text})
	})
}

// end ends the operation and its tree.
func (w *work) end() {
	w.r.tb.Helper()
	tree, err := w.r.jobs.Tree(w.r.tb.Context(), string(w.op.ID))
	must(w.r.tb, err)
	tree.State, tree.Jobs[tree.ID].State = jobs.Succeeded, jobs.Succeeded
	must(w.r.tb, w.r.pace.TreeEnded(w.r.tb.Context(), tree))
	w.r.jobs.change(func() { delete(w.r.jobs.trees, tree.ID) })
}

func (w *work) path() string { return "/jobs/" + string(w.op.ID) + "/events" }

// phases write lines in rounds: within one the jobs' clocks run side by side,
// and the one that is read first has the later lines.
var phases = [][][3]int{
	{{0, 100, 0}, {0, 101, 0}, {1, 90, 0}, {1, 101, 0}},
	{{1, 101, 1}, {0, 101, 1}, {0, 101, 2}},
	{{0, 105, 0}, {1, 102, 0}},
	{{1, 105, 0}, {1, 105, 1}, {0, 110, 0}},
}

func TestFollowJob_ResumesWithoutGapsOrDoubles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	total := 0
	for _, p := range phases {
		total += len(p)
	}

	for cut := range total + 1 {
		w := r.newWork()
		f := r.open(w.path(), "")
		var got []string
		for _, phase := range phases {
			for _, l := range phase {
				w.write(l[0], l[1], l[2])
			}
			for len(got) < len(w.wrote) {
				if len(got) == cut {
					f.cut()
					f = r.open(w.path(), f.last)
				}
				texts, _ := f.logs(1)
				got = append(got, texts...)
			}
		}
		w.end()
		if _, ended := f.logs(-1); !ended {
			t.Errorf("cut after %d: no end", cut)
		}
		f.cut()

		slices.Sort(got)
		want := slices.Sorted(slices.Values(w.wrote))
		if !slices.Equal(got, want) {
			t.Fatalf("cut after %d lines: got %q, want each once: %q", cut, got, want)
		}
	}
}

func TestFollowJob_ResumesAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.newWork()
	for _, phase := range phases {
		for _, l := range phase {
			w.write(l[0], l[1], l[2])
		}
	}
	w.end()
	want := slices.Sorted(slices.Values(w.wrote))

	for cut := range len(w.wrote) + 1 {
		first := r.open(w.path(), "")
		got, _ := first.logs(cut)
		first.cut()
		second := r.open(w.path(), first.last)
		rest, ended := second.logs(-1)
		second.cut()

		got = append(got, rest...)
		if sorted := slices.Sorted(slices.Values(got)); !ended || !slices.Equal(sorted, want) {
			t.Errorf("cut after %d: got %q, ended %t; want each line once: %q", cut, got, ended, want)
		}
	}
}

func TestFollowJob_RefusesAForeignID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.newWork()

	for _, id := range []string{"x", "1-2", "-1", "5,shop=1-2", "5," + w.jobs[0] + "=1", "5," + w.jobs[0] + "=1-02", strings.Repeat("1", 17<<10)} {
		got := r.do(ask{method: "GET", path: w.path(), token: viewerToken, header: map[string]string{"Last-Event-ID": id}})

		p := wantProblem(t, got, http.StatusUnprocessableEntity)
		if len(p.Errors) != 1 || p.Errors[0].Location != "header.Last-Event-ID" {
			t.Errorf("id %.40q: got %+v, want the header named", id, p)
		}
	}
}

func TestFollowLogs_ResumesByID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	instance := cluster.NewID()
	write := func(text string) {
		must(t, r.inner.Logs.Append(t.Context(), []cluster.LogLine{{Time: time.Now(), App: app.ID, Instance: instance, Type: "web", Text: text}}))
	}
	f := r.open("/apps/shop/logs/stream?n=10", "")
	write("one")
	write("two")
	first, _ := f.next()
	f.cut()
	write("three")

	f = r.open("/apps/shop/logs/stream?n=10", f.last)
	second, _ := f.next()
	third, _ := f.next()
	f.cut()

	for i, e := range []event{first, second, third} {
		if want := []string{"one", "two", "three"}[i]; e.name != "line" || !strings.Contains(e.data, want) {
			t.Errorf("event %d: got %+v, want the line %s", i, e, want)
		}
	}
}
