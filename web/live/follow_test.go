package live_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/internal/testkit"
	"aorta/jobs"
	"aorta/pacemaker/following"
	"aorta/web/internal/rig"
)

func TestFollowJob_ResumesWithoutGapsOrDoubles(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	total := 0
	for _, p := range rig.Phases {
		total += len(p)
	}

	for cut := range total + 1 {
		w := r.NewWork()
		f := r.Open(w.Path(), "")
		var got []string
		for _, phase := range rig.Phases {
			for _, l := range phase {
				w.Write(l[0], l[1], l[2])
			}
			for len(got) < len(w.Wrote) {
				if len(got) == cut {
					f.Cut()
					f = r.Open(w.Path(), f.Last)
				}
				texts, _ := f.Logs(1)
				got = append(got, texts...)
			}
		}
		w.End()
		if _, ended := f.Logs(-1); !ended {
			t.Errorf("cut after %d: no end", cut)
		}
		f.Cut()

		slices.Sort(got)
		want := slices.Sorted(slices.Values(w.Wrote))
		if !slices.Equal(got, want) {
			t.Fatalf("cut after %d lines: got %q, want each once: %q", cut, got, want)
		}
	}
}

func TestFollowJob_ResumesAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	w := r.NewWork()
	for _, phase := range rig.Phases {
		for _, l := range phase {
			w.Write(l[0], l[1], l[2])
		}
	}
	w.End()
	want := slices.Sorted(slices.Values(w.Wrote))

	for cut := range len(w.Wrote) + 1 {
		first := r.Open(w.Path(), "")
		got, _ := first.Logs(cut)
		first.Cut()
		second := r.Open(w.Path(), first.Last)
		rest, ended := second.Logs(-1)
		second.Cut()

		got = append(got, rest...)
		if sorted := slices.Sorted(slices.Values(got)); !ended || !slices.Equal(sorted, want) {
			t.Errorf("cut after %d: got %q, ended %t; want each line once: %q", cut, got, ended, want)
		}
	}
}

// Whoever prints what comes gets each step's lines before its end, in the order in
// which the steps happen, whatever the times of the lines.
func TestFollowJob_StepsComeInOrderAfterTheirLines(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	w := r.NewWork()
	w.Write(1, 90, 0)
	w.Write(0, 100, 0)
	r.Jobs.Change(func() {
		for _, j := range r.Jobs.Trees[string(w.Op.ID)].Jobs {
			j.State, j.Started, j.Ended = jobs.Succeeded, time.UnixMilli(1), time.UnixMilli(2)
		}
	})
	w.End()
	var got []string

	err := r.Pace.Following.Follow(t.Context(), w.Op.ID, following.Position{}, func(u following.Update) error {
		switch {
		case u.Step != nil:
			got = append(got, u.Step.Name+" "+u.Step.State)
		case u.Line != nil:
			got = append(got, u.Line.Text)
		}
		return nil
	})

	want := []string{"job 0 at 100-0", "Build succeeded", "Release succeeded", "job 1 at 90-0", "Start succeeded", "Publish succeeded"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestFollowJob_RefusesAForeignID(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	w := r.NewWork()

	for _, id := range []string{"x", "1-2", "-1", "5,shop=1-2", "5," + w.Jobs[0] + "=1", "5," + w.Jobs[0] + "=1-02", strings.Repeat("1", 17<<10)} {
		got := r.Do(rig.Ask{Method: "GET", Path: w.Path(), Token: rig.ViewerToken, Header: map[string]string{"Last-Event-ID": id}})

		p := rig.WantProblem(t, got, http.StatusUnprocessableEntity)
		if len(p.Errors) != 1 || p.Errors[0].Location != "header.Last-Event-ID" {
			t.Errorf("id %.40q: got %+v, want the header named", id, p)
		}
	}
}

func TestFollowLogs_ResumesByID(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	write := func(text string) { r.Print(app.ID, "web", text) }
	f := r.Open("/apps/shop/logs/stream?n=10", "")
	write("one")
	write("two")
	first, _ := f.Next()
	f.Cut()
	write("three")

	f = r.Open("/apps/shop/logs/stream?n=10", f.Last)
	second, _ := f.Next()
	third, _ := f.Next()
	f.Cut()

	for i, e := range []rig.Event{first, second, third} {
		if want := []string{"one", "two", "three"}[i]; e.Name != "line" || !strings.Contains(e.Data, want) {
			t.Errorf("event %d: got %+v, want the line %s", i, e, want)
		}
	}
}
