package live_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// liveAt is the address of a live stream that goes on behind an id.
func liveAt(topic, seen string) string {
	if seen != "" {
		topic += "@" + url.PathEscape(seen)
	}
	return "/live?topics=" + url.QueryEscape("jobs,"+topic)
}

func TestLiveJob_ResumesWithoutGapsOrDoubles(t *testing.T) {
	t.Parallel()
	r := rig.New(t)

	for cut := range 5 {
		w := r.NewWork()
		topic := "job:" + string(w.Op.ID)
		f, seen := r.Open(liveAt(topic, ""), ""), ""
		var got []string
		for _, phase := range rig.Phases {
			for _, l := range phase {
				w.Write(l[0], l[1], l[2])
			}
			for len(got) < len(w.Wrote) {
				if len(got) == 2*cut {
					f.Cut()
					f = r.Open(liveAt(topic, seen), "")
				}
				var e rig.Event
				e, seen = f.Until("log")
				_, text, _ := strings.Cut(e.Data, `"text":"`)
				got = append(got, strings.TrimSuffix(text, `"}`))
			}
		}
		w.End()
		f.Until("end")
		f.Cut()

		slices.Sort(got)
		if want := slices.Sorted(slices.Values(w.Wrote)); !slices.Equal(got, want) {
			t.Fatalf("cut after %d lines: got %q, want each once: %q", 2*cut, got, want)
		}
	}
}

func TestLiveJob_TellsOfAnEndedOneAndGoesOn(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	w := r.NewWork()
	w.Write(0, 100, 0)
	w.End()
	f := r.Open(liveAt("job:"+string(w.Op.ID), ""), "")
	defer f.Cut()

	e, _ := f.Until("log")
	f.Until("end")
	_, err := r.Pace.CreateApp(t.Context(), "later", "admin")
	testkit.Must(t, err)
	beats := f.AwaitBeats(1)

	if !strings.Contains(e.Data, "job 0 at 100-0") || beats != 1 {
		t.Errorf("got %+v and %d beats, want the line, the end and a stream that goes on", e, beats)
	}
}

func TestLive_SaysThatATopicIsGoneAndGoesOn(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	id, feeds := string(cluster.NewID()), map[string]*rig.Feed{}
	for _, topic := range []string{"job:" + id, "job:nonesuch", "logs:nonesuch"} {
		feeds[topic] = r.Open(liveAt(topic, ""), "")
	}
	for topic, f := range feeds {
		gone := rig.Await(f, "gone", rig.Anything[wire.LiveGone])
		beats := f.AwaitBeats(1)
		f.Cut()

		if gone.Topic != topic || gone.Text == "" || beats != 1 {
			t.Errorf("got %+v and %d beats, want %s gone in a stream that goes on", gone, beats, topic)
		}
	}
}

func TestLiveLogs_ResumesAndFilters(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	write := func(kind, text string) { r.Print(app.ID, kind, text) }
	topic := "logs:shop?" + url.Values{"n": {"10"}, "type": {"web"}, "search": {"ORDER, @"}}.Encode()
	f := r.Open(liveAt(topic, ""), "")
	write("web", "order, @ one")
	write("worker", "order, @ no")
	write("web", "nothing")
	first, seen := f.Until("line")
	f.Cut()
	write("web", "order, @ two")

	f = r.Open(liveAt(topic, seen), "")
	second, _ := f.Until("line")
	f.Cut()

	if !strings.Contains(first.Data, "one") || !strings.Contains(second.Data, "two") {
		t.Errorf("got %+v and %+v, want one, then two", first, second)
	}
}

func TestLiveLogs_EndsWithTheApp(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	f := r.Open(liveAt("logs:"+"shop", ""), "")
	defer f.Cut()
	rig.Await(f, "jobs", rig.Anything[wire.LiveRows[wire.Job]])

	testkit.Must(t, r.Store.DeleteApp(t.Context(), app.ID))
	testkit.Must(t, r.Logs.Forget(t.Context(), app.ID))
	gone := rig.Await(f, "gone", rig.Anything[wire.LiveGone])

	if gone.Topic != "logs:shop" {
		t.Errorf("got %+v, want the log gone", gone)
	}
}

// The log's end comes to those that follow it: who begins right then hears of it from
// the app.
func TestLiveLogs_EndsWithAnAppThatGoesMeanwhile(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.BeforeFollow(func() {
		testkit.Must(t, r.Store.DeleteApp(t.Context(), app.ID))
		testkit.Must(t, r.Logs.Forget(t.Context(), app.ID))
	})
	f := r.Open(liveAt("logs:shop", ""), "")
	defer f.Cut()

	gone := rig.Await(f, "gone", rig.Anything[wire.LiveGone])

	if gone.Topic != "logs:shop" {
		t.Errorf("got %+v, want the log gone", gone)
	}
}

func TestFollowLogs_OfAnAppThatGoesMeanwhileAreNotFound(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	r.BeforeFollow(func() { testkit.Must(t, r.Store.DeleteApp(t.Context(), app.ID)) })

	f, resp := r.TryOpen("/apps/shop/logs/stream", "")

	if f != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("got %s, want 404", resp.Status)
	}
}

func TestLive_EndsWithTheSession(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := rig.New(t)
	w := r.NewWork()
	b := r.SignIn(rig.ViewerToken)
	f := b.Open(liveAt("job:"+string(w.Op.ID), ""))
	defer f.Cancel()

	b.Do(http.MethodDelete, "/session", "")

	testkit.Receive(t, "the end of the stream", f.Ended)
}
