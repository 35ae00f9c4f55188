package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/logstore"
	"aorta/web/wire"
)

// liveAt is the address of a live stream that goes on behind an id.
func liveAt(topic, seen string) string {
	if seen != "" {
		topic += "@" + url.PathEscape(seen)
	}
	return "/live?topics=" + url.QueryEscape("jobs,"+topic)
}

// until reads events until one has one of the names, and gives its id too.
func (f *feed) until(names ...string) (event, string) {
	f.tb.Helper()
	for {
		e, ok := f.next()
		if !ok {
			f.tb.Fatalf("the stream ended before one of %q: %v", names, f.lines.Err())
		}
		if slices.Contains(names, e.name) {
			return e, f.last
		}
	}
}

func TestLiveJob_ResumesWithoutGapsOrDoubles(t *testing.T) {
	t.Parallel()
	r, _ := newLiveRig(t)

	for cut := range 5 {
		w := r.newWork()
		topic := topicJob + string(w.op.ID)
		f, seen := r.open(liveAt(topic, ""), ""), ""
		var got []string
		for _, phase := range phases {
			for _, l := range phase {
				w.write(l[0], l[1], l[2])
			}
			for len(got) < len(w.wrote) {
				if len(got) == 2*cut {
					f.cut()
					f = r.open(liveAt(topic, seen), "")
				}
				var e event
				e, seen = f.until("log")
				_, text, _ := strings.Cut(e.data, `"text":"`)
				got = append(got, strings.TrimSuffix(text, `"}`))
			}
		}
		w.end()
		f.until("end")
		f.cut()

		slices.Sort(got)
		if want := slices.Sorted(slices.Values(w.wrote)); !slices.Equal(got, want) {
			t.Fatalf("cut after %d lines: got %q, want each once: %q", 2*cut, got, want)
		}
	}
}

func TestLiveJob_TellsOfAnEndedOneAndGoesOn(t *testing.T) {
	t.Parallel() // it waits more than it works
	r, _ := newLiveRig(t)
	w := r.newWork()
	w.write(0, 100, 0)
	w.end()
	f := r.open(liveAt(topicJob+string(w.op.ID), ""), "")
	defer f.cut()

	e, _ := f.until("log")
	f.until("end")
	_, err := r.pace.CreateApp(t.Context(), "later", "admin")
	must(t, err)
	beats := f.awaitBeats(1)

	if !strings.Contains(e.data, "job 0 at 100-0") || beats != 1 {
		t.Errorf("got %+v and %d beats, want the line, the end and a stream that goes on", e, beats)
	}
}

// awaitBeats counts beats until there are so many, or the stream ends.
func (f *feed) awaitBeats(n int) (beats int) {
	for beats < n && f.lines.Scan() {
		if strings.HasPrefix(f.lines.Text(), ":") {
			beats++
		}
	}
	return beats
}

func TestLive_SaysThatATopicIsGoneAndGoesOn(t *testing.T) {
	t.Parallel() // it waits more than it works
	r, _ := newLiveRig(t)
	id, feeds := string(cluster.NewID()), map[string]*feed{}
	for _, topic := range []string{topicJob + id, topicJob + "nonesuch", topicLogs + "nonesuch"} {
		feeds[topic] = r.open(liveAt(topic, ""), "")
	}
	for topic, f := range feeds {
		gone := await(f, "gone", anything[wire.LiveGone])
		beats := f.awaitBeats(1)
		f.cut()

		if gone.Topic != topic || gone.Text == "" || beats != 1 {
			t.Errorf("got %+v and %d beats, want %s gone in a stream that goes on", gone, beats, topic)
		}
	}
}

func TestLiveLogs_ResumesAndFilters(t *testing.T) {
	t.Parallel()
	r, _ := newLiveRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	write := func(kind, text string) {
		must(t, r.inner.Logs.Append(t.Context(), []cluster.LogLine{{Time: time.Now(), App: app.ID, Instance: cluster.NewID(), Type: kind, Text: text}}))
	}
	topic := topicLogs + "shop?" + url.Values{"n": {"10"}, "type": {"web"}, "search": {"ORDER, @"}}.Encode()
	f := r.open(liveAt(topic, ""), "")
	write("web", "order, @ one")
	write("worker", "order, @ no")
	write("web", "nothing")
	first, seen := f.until("line")
	f.cut()
	write("web", "order, @ two")

	f = r.open(liveAt(topic, seen), "")
	second, _ := f.until("line")
	f.cut()

	if !strings.Contains(first.data, "one") || !strings.Contains(second.data, "two") {
		t.Errorf("got %+v and %+v, want one, then two", first, second)
	}
}

func TestLiveLogs_EndsWithTheApp(t *testing.T) {
	t.Parallel() // it waits more than it works
	r, _ := newLiveRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	f := r.open(liveAt(topicLogs+"shop", ""), "")
	defer f.cut()
	await(f, "jobs", anything[wire.LiveRows[wire.Job]])

	must(t, r.store.DeleteApp(t.Context(), app.ID))
	must(t, r.inner.Logs.(*logstore.Store).Forget(t.Context(), app.ID))
	gone := await(f, "gone", anything[wire.LiveGone])

	if gone.Topic != "logs:shop" {
		t.Errorf("got %+v, want the log gone", gone)
	}
}

func TestLive_EndsWithTheSession(t *testing.T) {
	t.Parallel() // it waits more than it works
	r, _ := newLiveRig(t)
	w := r.newWork()
	b := r.signIn(viewerToken)
	f := b.open(liveAt(topicJob+string(w.op.ID), ""))
	defer f.cancel()

	b.do(http.MethodDelete, "/session", "")

	select {
	case <-f.ended:
	case <-time.After(5 * time.Second):
		t.Error("got the stream open after 5 s, want it ended")
	}
}

func TestEventStream_LetsGoOfAReaderThatTakesNothing(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s := newEventStream(w, 200*time.Millisecond)
		for {
			if err := s.send("line", "1", strings.Repeat("x", 64<<10)); err != nil {
				ended <- err
				return
			}
		}
	}))
	defer server.Close()
	resp, err := http.Get(server.URL)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()

	select {
	case err := <-ended:
		if err == nil {
			t.Error("got nil, want why the write failed")
		}
	case <-time.After(20 * time.Second):
		t.Error("the stream holds a reader that takes nothing")
	}
}
